/** Every five minutes, by a timer: publishes backup events, and logs backup ages. See functions/monitor.ts. */
import middy from '@middy/core';
import { handlerOf } from '../../lib/functiongraph/platform.ts';
import { timerTime } from '../../lib/functiongraph/sources.ts';
import { endRunEarly, loggedRun } from '../../lib/service/middleware.ts';
import { monitorRuns } from '../../lib/service/monitoring.ts';
import type { Service } from '../../lib/service/service.ts';

export const monitorHandler = (service: Service) => {
  const { timing } = service;
  const run = monitorRuns(service);
  return middy(endRunEarly)
    .use(loggedRun('monitor', timing.now))
    .handler(async (event, context, { signal }) => {
      await run(timerTime(event, timing.now()), context, signal);
    });
};

export const handler = handlerOf(monitorHandler, { reserveMillis: 10_000 });
