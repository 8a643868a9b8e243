/** Verifies SigV4, with the official signer as the oracle. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { compactTime, MINUTE } from '../../lib/time.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignedRequest {
  readonly method: string;
  /** As it was sent, with the query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Scope {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly service: string;
  readonly now: Date;
}

export type AuthenticationError =
  | 'MissingAuthenticationToken'
  | 'IncompleteSignature'
  | 'UnknownClient'
  | 'WrongSignature';

export interface Refusal {
  readonly error: AuthenticationError;
  /** As AWS puts it: it quotes what was signed, the session token too. */
  readonly message: string;
}

const TOLERANCE = 5 * MINUTE;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** @returns undefined for a request that is signed as it must be */
export async function signatureRefusal(request: SignedRequest, scope: Scope): Promise<Refusal | undefined> {
  const { headers, body } = request;
  const { credentials, region, service, now } = scope;
  if (headers.authorization === undefined)
    return { error: 'MissingAuthenticationToken', message: 'Missing Authentication Token' };
  const [, key, day, statedRegion, statedService, names = '', signature] =
    AUTHORIZATION.exec(headers.authorization) ?? [];
  const date = readDate(headers['x-amz-date']);
  const signed = new Set(names.split(';'));
  if (signature === undefined || !date || !signed.has('host'))
    return { error: 'IncompleteSignature', message: `Not a valid Authorization header: ${headers.authorization}` };
  if (key !== credentials.accessKeyId || headers['x-amz-security-token'] !== credentials.sessionToken)
    return { error: 'UnknownClient', message: 'The security token included in the request is invalid.' };

  const wrong = (message: string): Refusal => ({ error: 'WrongSignature', message });
  if (statedRegion !== region || statedService !== service || day !== compactTime(date).slice(0, 8))
    return wrong(`Credential should be scoped to a valid region and to the service: '${region}', '${service}'.`);
  if (Math.abs(now.getTime() - date.getTime()) > TOLERANCE)
    return wrong(`Signature expired: ${compactTime(date)} is more than 5 min. from ${compactTime(now)}`);
  const unsigned = Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !signed.has(name));
  if (unsigned.length > 0) return wrong(`Header should be signed: ${unsigned.join()}`);
  const hash = headers['x-amz-content-sha256'];
  if (hash !== undefined && hash !== createHash('sha256').update(body).digest('hex'))
    return wrong('The provided x-amz-content-sha256 header does not match what was computed.');

  const expected = await expectedAuthorization(request, scope, date, signed);
  if (expected.endsWith(`Signature=${signature}`)) return undefined;
  const canonical = [...signed].map((name) => `${name}:${headers[name]}`).join('\n');
  return wrong(
    `The request signature we calculated does not match. The Canonical String should have been\n${canonical}`,
  );
}

async function expectedAuthorization(
  { method, target, headers, body }: SignedRequest,
  { credentials, region, service }: Scope,
  signingDate: Date,
  signableHeaders: Set<string>,
): Promise<string> {
  const { hostname, searchParams } = new URL(target, 'http://localhost');
  const [path = '/'] = target.split('?');
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false });
  const request = {
    method,
    protocol: 'http:',
    hostname,
    path,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => (signableHeaders.has(name) ? [[name, String(value)]] : [])),
    ),
    body,
  };
  const signed = await signer.sign(request, { signingDate, signableHeaders });
  return String(signed.headers.authorization);
}

function readDate(text: unknown): Date | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(text)) ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
