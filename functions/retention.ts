/** Once a day: deletes the backups that the rules let go, or reports them. */
import middy from '@middy/core';
import { awsService } from '../lib/aws/platform.ts';
import { scheduledTime } from '../lib/service/identity.ts';
import { endRunEarly, loggedRun } from '../lib/service/middleware.ts';
import { retentionRuns } from '../lib/service/retention-runs.ts';
import type { Service } from '../lib/service/service.ts';

export const retentionHandler = (service: Service) => {
  const { timing } = service;
  const run = retentionRuns(service);
  return middy(endRunEarly)
    .use(loggedRun('retention', timing.now))
    .handler(async (event, context, { signal }) => {
      await run(scheduledTime(event, timing.now()), context, signal);
    });
};

export const handler = retentionHandler(awsService({ reserveMillis: 15_000 }));
