/** The HTTP trigger on FunctionGraph: API Gateway (APIG). */
import middy from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import { httpReply, httpRequest } from '../../lib/functiongraph/http-event.ts';
import { handlerOf } from '../../lib/functiongraph/platform.ts';
import { created, refused } from '../../lib/service/http-api.ts';
import { http } from '../../lib/service/identity.ts';
import { authenticated, endEarly, logged, parsed, routed, validated } from '../../lib/service/middleware.ts';
import type { Service } from '../../lib/service/service.ts';

export const httpHandler = (service: Service) => {
  const { env, timing, authenticate, create } = service;
  const answer = middy(endEarly)
    .use(logged(http, timing.now, { answer: created, refuse: refused }))
    .use(httpRequest(env))
    .use(authenticated(authenticate))
    .use(routed(service))
    .use(jsonBodyParser())
    .use(parsed(http))
    .use(validated())
    .handler((event, context, { signal }) => create(event, context, signal));
  return async (event: never, context: never) => httpReply(await answer(event, context));
};

export const handler = handlerOf(httpHandler);
