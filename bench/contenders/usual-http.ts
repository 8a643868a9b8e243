/** (c) as a webhook. */
import middy from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import { createBackup, type Request, validated } from './usual.ts';

export const handler = middy()
  .use(jsonBodyParser())
  .use(validated((request) => ({ type: 'object', properties: { body: request }, required: ['body'] })))
  .handler(async ({ body }) => ({
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    // The parser has made an object of it, which middy's types do not tell.
    body: JSON.stringify(await createBackup(body as unknown as Request)),
  }));
