/** The event-bus trigger: an EventBridge event whose `detail` is the request. */
import middy from '@middy/core';
import { addTrailer } from '../lib/aws/destination-record.ts';
import { awsService } from '../lib/aws/platform.ts';
import { eventBus } from '../lib/aws/sources.ts';
import { idsOf } from '../lib/backup/create.ts';
import { endEarly, logged, parsed, validated } from '../lib/service/middleware.ts';
import type { Service } from '../lib/service/service.ts';

export const eventBusHandler = ({ timing, create }: Service) =>
  middy(endEarly)
    .use(logged(eventBus, timing.now, { answer: idsOf, refuse: addTrailer }))
    .use(parsed(eventBus))
    .use(validated())
    .handler((event, context, { signal }) => create(event, context, signal));

export const handler = eventBusHandler(awsService());
