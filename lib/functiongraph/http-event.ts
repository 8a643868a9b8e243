/** The events of API Gateway (APIG). It checks callers itself, and the event shows nothing of that. */
import type { MiddlewareObj } from '@middy/core';
import { fieldsOf, lowerCased, textOf, textsOf } from '../json.ts';
import type { Environment } from '../service/config.ts';
import { checkSize } from '../service/http-api.ts';
import type { HttpRequest, HttpResponse } from '../service/ports.ts';

/**
 * Gives every event the form of an HttpRequest; the body stays as it came.
 * @param env its `HTTP_AUTH` is `gateway` where the route demands IAM or an app's signature
 * @throws InvalidRequest 413 when the body is over 64 kB
 */
export const httpRequest = ({ HTTP_AUTH }: Environment): MiddlewareObj<HttpRequest, HttpResponse> => ({
  before: (request) => {
    request.event = readHttpEvent(request.event, HTTP_AUTH === 'gateway');
    checkSize(request.event);
  },
});

function readHttpEvent(event: unknown, isAuthorized: boolean): HttpRequest {
  const { headers, body, isBase64Encoded, requestContext, queryStringParameters, path, httpMethod } = fieldsOf(event);
  const { requestId } = fieldsOf(requestContext);
  return {
    method: textOf(httpMethod) || 'POST',
    path: textOf(path) || '/',
    query: textsOf(queryStringParameters),
    headers: lowerCased(textsOf(headers)),
    body,
    isBase64Encoded: isBase64Encoded === true,
    isAuthorized,
    requestId: typeof requestId === 'string' && requestId !== '' ? requestId : undefined,
    // APIG states none.
    time: undefined,
  };
}

/** The answer as APIG reads it. */
export const httpReply = (response: HttpResponse): HttpResponse & { readonly isBase64Encoded: false } => ({
  isBase64Encoded: false,
  ...response,
});
