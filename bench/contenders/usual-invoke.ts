/** (c) as it is called by other functions. */
import middy from '@middy/core';
import { createBackup, type Request, validated } from './usual.ts';

export const handler = middy<Request, object>()
  .use(validated((request) => request))
  .handler(createBackup);
