/** The webhook trigger: API Gateway (HTTP API and REST) and function URLs. */
import middy from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import { type BackupService, backupService } from '../lib/lambda/backup-service.ts';
import { knownCaller } from '../lib/lambda/caller.ts';
import { endEarly } from '../lib/lambda/end-early.ts';
import { created, refused } from '../lib/lambda/http-answer.ts';
import { httpEvent } from '../lib/lambda/http-event.ts';
import { outcome } from '../lib/lambda/outcome.ts';
import { http } from '../lib/lambda/trigger-source.ts';
import { requestOf, validated } from '../lib/lambda/validated.ts';

export const httpHandler = (service: BackupService) =>
  middy(endEarly)
    .use(outcome(http, created, refused))
    .use(httpEvent())
    .use(knownCaller(service))
    .use(jsonBodyParser())
    .use(validated(http))
    .handler((event, context, { signal }) =>
      service.createBackup(requestOf(http, event), http.identify(event, context), context, signal),
    );

export const handler = httpHandler(backupService());
