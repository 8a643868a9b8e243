/** Once a day, by a timer: deletes the backups that the rules let go, or reports them. */
import middy from '@middy/core';
import { handlerOf } from '../../lib/functiongraph/platform.ts';
import { timerTime } from '../../lib/functiongraph/sources.ts';
import { endRunEarly, loggedRun } from '../../lib/service/middleware.ts';
import { retentionRuns } from '../../lib/service/retention-runs.ts';
import type { Service } from '../../lib/service/service.ts';

export const retentionHandler = (service: Service) => {
  const { timing } = service;
  const run = retentionRuns(service);
  return middy(endRunEarly)
    .use(loggedRun('retention', timing.now))
    .handler(async (event, context, { signal }) => {
      await run(timerTime(event, timing.now()), context, signal);
    });
};

export const handler = handlerOf(retentionHandler, { reserveMillis: 15_000 });
