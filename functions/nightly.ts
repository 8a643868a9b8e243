/** Started by the nightly schedule: asks `invoke` for a backup of each selected instance. */
import middy from '@middy/core';
import { awsService, invokeStarter } from '../lib/aws/platform.ts';
import { scheduledNight } from '../lib/service/identity.ts';
import { endRunEarly, loggedRun } from '../lib/service/middleware.ts';
import { nightlyRuns } from '../lib/service/nightly.ts';
import type { Starter } from '../lib/service/ports.ts';
import type { Service } from '../lib/service/service.ts';

export const nightlyHandler = (service: Service, start: Starter) => {
  const { timing } = service;
  const run = nightlyRuns(service, start);
  return middy(endRunEarly)
    .use(loggedRun('nightly', timing.now))
    .handler((event, context, { signal }) => run(scheduledNight(event, timing.now()), context, signal));
};

export const handler = nightlyHandler(awsService(), invokeStarter());
