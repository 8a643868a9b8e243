/** One call of the DDS v3 API: signed, answered with JSON, and its refusals told from its answers. */
import { Failure } from '../failure.ts';
import type { Answer, Limits } from '../otc/connection.ts';
import { type OtcRequest, signedRequests } from '../otc/signed-request.ts';
import type { Credentials } from '../otc/signer.ts';
import { DdsError } from './dds-error.ts';

export interface DdsCallOptions {
  /** Scheme and authority, such as `https://dds.eu-de.otc.t-systems.com`. */
  readonly endpoint: string;
  readonly projectId: string;
  /** Asked before every request; `renew` after the gateway refused what it gave. */
  readonly credentials: (options?: { readonly renew: boolean }) => Promise<Credentials>;
  readonly now: () => Date;
}

/** `path` is what follows `/v3/{project_id}/`. */
export type DdsRequest = Omit<OtcRequest, 'headers'>;

export type JsonAnswer = Answer & { readonly body: object };

export type DdsCall = ReturnType<typeof ddsCall>;

/**
 * Every call asks `limits` before each request, and throws DdsError where DDS or its gateway refuses, and Failure
 * `UpstreamUnreachable`, `UpstreamTimeout` or `UpstreamInvalid` where there is no answer, or none that is JSON. None is
 * repeated, but once with renewed credentials after APIGW.0301.
 */
export function ddsCall({ endpoint, projectId, credentials, now }: DdsCallOptions) {
  const send = signedRequests(endpoint);
  const headers = { 'content-type': 'application/json', 'x-project-id': projectId };

  return async function call(request: DdsRequest, limits: () => Limits): Promise<JsonAnswer> {
    const path = `/v3/${projectId}/${request.path}`;
    const attempt = async (key: Credentials) =>
      jsonAnswer(await send({ ...request, path, headers }, key, now(), limits()));

    const key = await credentials();
    const answer = await attempt(key);
    if (!isGatewayRefusal(answer)) return succeeded(answer);
    const renewed = await credentials({ renew: true });
    return succeeded(renewed.ak === key.ak && renewed.sk === key.sk ? answer : await attempt(renewed));
  };
}

/** What DDS answered is not what the reference promises. */
export const invalid = (how: string) => new Failure('UpstreamInvalid', `DDS answered ${how}.`);

function jsonAnswer(answer: Answer): JsonAnswer {
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    // The parser's message quotes the text.
  }
  if (typeof body !== 'object' || body === null) throw invalid(`${answer.status} and no JSON object`);
  return { ...answer, body };
}

function succeeded(answer: JsonAnswer): JsonAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  if (answer.status >= 400 && answer.status < 600) throw new DdsError(answer, answer.body);
  throw invalid(`${answer.status}, which is neither success nor error`);
}

const isGatewayRefusal = ({ status, body }: Answer & { body: { error_code?: unknown } }) =>
  status >= 400 && body.error_code === 'APIGW.0301';
