/** The event-bus trigger: an EventBridge event whose `detail` is the request. */
import middy from '@middy/core';
import { type BackupService, backupService } from '../lib/lambda/backup-service.ts';
import { endEarly } from '../lib/lambda/end-early.ts';
import { ids, outcome } from '../lib/lambda/outcome.ts';
import { eventBus } from '../lib/lambda/trigger-source.ts';
import { requestOf, validated } from '../lib/lambda/validated.ts';

export const eventBusHandler = (service: BackupService) =>
  middy(endEarly)
    .use(outcome(eventBus, ids))
    .use(validated(eventBus))
    .handler((event, context, { signal }) =>
      service.createBackup(requestOf(eventBus, event), eventBus.identify(event, context), context, signal),
    );

export const handler = eventBusHandler(backupService());
