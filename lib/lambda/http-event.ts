/** The HTTP events of API Gateway (HTTP API and REST) and of function URLs, brought to what they have in common. */
import type { MiddlewareObj } from '@middy/core';
import { InvalidRequest } from './invalid-request.ts';

const LARGEST_BODY_BYTES = 64 * 1024;

type JsonObject = Readonly<Record<string, unknown>>;

export interface HttpEvent {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The raw text, until it is parsed. */
  body: unknown;
  readonly isBase64Encoded: boolean;
  readonly requestContext: JsonObject;
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null;

/**
 * Gives every event, whatever it is, the form of an HttpEvent; the body stays as it came.
 * @throws InvalidRequest 413 when the body is over 64 kB
 */
export const httpEvent = (): MiddlewareObj<HttpEvent> => ({
  before: (request) => {
    const { headers, body, isBase64Encoded, requestContext }: Partial<Record<keyof HttpEvent, unknown>> = isObject(
      request.event,
    )
      ? request.event
      : {};
    if (typeof body === 'string' && bytes(body, isBase64Encoded === true) > LARGEST_BODY_BYTES) {
      throw new InvalidRequest(413, 'The request body is larger than 64 kB');
    }
    request.event = {
      headers: lowerCased(headers),
      body,
      isBase64Encoded: isBase64Encoded === true,
      requestContext: isObject(requestContext) ? requestContext : {},
    };
  },
});

const bytes = (body: string, isBase64Encoded: boolean): number =>
  Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8');

function lowerCased(headers: unknown): Record<string, string> {
  const lower: Record<string, string> = {};
  if (isObject(headers)) {
    for (const [name, value] of Object.entries(headers))
      if (typeof value === 'string') lower[name.toLowerCase()] = value;
  }
  return lower;
}
