/** The HTTP trigger: API Gateway (HTTP API and REST) and function URLs. */
import middy from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import { httpRequest } from '../lib/aws/http-event.ts';
import { awsService } from '../lib/aws/platform.ts';
import { createOrDefer } from '../lib/service/deferral.ts';
import { created, refused } from '../lib/service/http-api.ts';
import { http } from '../lib/service/identity.ts';
import { authenticated, endEarly, logged, parsed, routed, validated } from '../lib/service/middleware.ts';
import type { Service } from '../lib/service/service.ts';

export const httpHandler = (service: Service) => {
  const { timing, authenticate, create } = service;
  const defer = createOrDefer(service);
  return middy(endEarly)
    .use(logged(http, timing.now, { answer: created, refuse: refused }))
    .use(httpRequest())
    .use(authenticated(authenticate))
    .use(routed(service))
    .use(jsonBodyParser())
    .use(parsed(http))
    .use(validated())
    .handler((event, context, { signal }) =>
      event.respondAsync ? defer(event, context, signal) : create(event, context, signal),
    );
};

export const handler = httpHandler(awsService());
