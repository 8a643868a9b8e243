/** Called by other functions and by schedules: the payload is the request, with `id` and `time` of the trigger beside it. */
import middy from '@middy/core';
import { addTrailer } from '../lib/aws/destination-record.ts';
import { awsService } from '../lib/aws/platform.ts';
import { invoke } from '../lib/aws/sources.ts';
import { idsOf } from '../lib/backup/create.ts';
import { endEarly, logged, parsed, validated } from '../lib/service/middleware.ts';
import type { Service } from '../lib/service/service.ts';

export const invokeHandler = ({ timing, create }: Service) => {
  const source = invoke(timing.now);
  return middy(endEarly)
    .use(logged(source, timing.now, { answer: idsOf, refuse: addTrailer }))
    .use(parsed(source))
    .use(validated())
    .handler((event, context, { signal }) => create(event, context, signal));
};

export const handler = invokeHandler(awsService());
