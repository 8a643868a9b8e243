/** The HTTP events of API Gateway (HTTP API and REST) and of function URLs. */
import type { MiddlewareObj } from '@middy/core';
import { fieldsOf, isObject, type JsonObject, lowerCased, textOf, textsOf } from '../json.ts';
import { checkSize } from '../service/http-api.ts';
import type { HttpRequest } from '../service/ports.ts';
import { isPlausible } from '../time.ts';

/**
 * Gives every event the form of an HttpRequest; the body stays as it came.
 * @throws InvalidRequest 413 when the body is over 64 kB
 */
export const httpRequest = (): MiddlewareObj<HttpRequest> => ({
  before: (request) => {
    request.event = readHttpEvent(request.event);
    checkSize(request.event);
  },
});

function readHttpEvent(event: unknown): HttpRequest {
  const { headers, body, isBase64Encoded, requestContext, queryStringParameters, rawPath, path } = fieldsOf(event);
  const context = fieldsOf(requestContext);
  const epoch = context.timeEpoch ?? context.requestTimeEpoch;
  const time = new Date(typeof epoch === 'number' ? epoch : Number.NaN);
  return {
    // An event that names neither was made by hand.
    method: textOf(fieldsOf(context.http).method ?? fieldsOf(event).httpMethod) || 'POST',
    path: textOf(rawPath ?? path) || '/',
    query: textsOf(queryStringParameters),
    headers: lowerCased(textsOf(headers)),
    body,
    isBase64Encoded: isBase64Encoded === true,
    isAuthorized: isAuthorized(context),
    caller: callerOf(context),
    requestId: text(context.requestId),
    time: isPlausible(time) ? time : undefined,
  };
}

/** The ARN of a caller that AWS has authenticated. */
const callerOf = ({ authorizer, identity }: JsonObject): string | undefined =>
  text(signingIdentity(fieldsOf(fieldsOf(authorizer).iam))) ?? text(signingIdentity(fieldsOf(identity)));

/** What each kind of authorizer leaves behind. An empty one shows no caller. */
function isAuthorized({ authorizer, identity }: JsonObject): boolean {
  const { iam, jwt, lambda, claims, principalId } = fieldsOf(authorizer);
  return [
    signingIdentity(fieldsOf(iam)),
    fieldsOf(jwt).claims,
    lambda,
    // REST
    signingIdentity(fieldsOf(identity)),
    claims,
    principalId,
  ].some(isPresent);
}

/**
 * CloudFront's origin access control signs for every viewer, known or not:
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda.html
 */
const signingIdentity = ({ userArn }: JsonObject): unknown =>
  typeof userArn === 'string' && /\/OriginAccessSession$/.test(userArn) ? undefined : userArn;

const isPresent = (value: unknown): boolean =>
  typeof value === 'string' ? value !== '' : isObject(value) && Object.keys(value).length > 0;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
