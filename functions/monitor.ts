/**
 * Every five minutes: publishes which backups ended or got stuck and which instances are overdue, and logs all backup
 * ages. Once a day it sends a report.
 */
import middy from '@middy/core';
import { awsService } from '../lib/aws/platform.ts';
import { scheduledTime } from '../lib/service/identity.ts';
import { endRunEarly, loggedRun } from '../lib/service/middleware.ts';
import { monitorRuns } from '../lib/service/monitoring.ts';
import type { Service } from '../lib/service/service.ts';

export const monitorHandler = (service: Service) => {
  const { timing } = service;
  const run = monitorRuns(service);
  return middy(endRunEarly)
    .use(loggedRun('monitor', timing.now))
    .handler(async (event, context, { signal }) => {
      await run(scheduledTime(event, timing.now()), context, signal);
    });
};

// What was read is published in what is left of the invocation.
export const handler = monitorHandler(awsService({ reserveMillis: 10_000 }));
