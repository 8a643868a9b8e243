/** Called by other functions and by schedules: the payload is the request, with `id` and `time` of the trigger beside it. */
import middy from '@middy/core';
import { type BackupService, backupService } from '../lib/lambda/backup-service.ts';
import { endEarly } from '../lib/lambda/end-early.ts';
import { ids, outcome } from '../lib/lambda/outcome.ts';
import { invoke } from '../lib/lambda/trigger-source.ts';
import { requestOf, validated } from '../lib/lambda/validated.ts';

export const invokeHandler = (service: BackupService) => {
  const source = invoke(service.now);
  return middy(endEarly)
    .use(outcome(source, ids))
    .use(validated(source))
    .handler((event, context, { signal }) =>
      service.createBackup(requestOf(source, event), source.identify(event, context), context, signal),
    );
};

export const handler = invokeHandler(backupService());
