/** Every five minutes: announces which backups ended or got stuck, and says how fresh each instance's last backup is. */
import middy from '@middy/core';
import { endRunEarly } from '../lib/lambda/end-early.ts';
import { scheduledTime } from '../lib/lambda/scheduled-time.ts';
import { watchOutcome } from '../lib/lambda/watch-outcome.ts';
import { type WatchService, watchService } from '../lib/lambda/watch-service.ts';

export const watchHandler = (service: WatchService) =>
  middy(endRunEarly)
    .use(watchOutcome())
    .handler(async (event, context, { signal }) => {
      const watched = await service.watch(scheduledTime(event, service.now()), context, signal);
      await service.announce(watched.happenings);
      return watched;
    });

export const handler = watchHandler(watchService());
