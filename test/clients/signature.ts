/** Verifies AWS Signature Version 4 with aws4 as the oracle. */
import { type Credentials, type Request, sign } from 'aws4';
import type { Received } from './scripted-server.ts';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=/;

export interface Signed {
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
}

/** What was signed, or undefined if the signature is not the one that these credentials give. */
export function verify({ method, path, headers, body }: Received, credentials: Credentials): Signed | undefined {
  const { authorization = '' } = headers;
  const [, keyId, region = '', service = '', names = ''] = AUTHORIZATION.exec(authorization) ?? [];
  if (keyId !== credentials.accessKeyId || headers['x-amz-security-token'] !== credentials.sessionToken)
    return undefined;
  const signedHeaders = names.split(';');
  const request: Request & { extraHeadersToIgnore: Record<string, boolean> } = {
    method,
    path,
    region,
    service,
    body,
    headers: Object.fromEntries(signedHeaders.map((name) => [name, headers[name]])),
    // aws4 adds it to what it signs; curl sends it unsigned.
    extraHeadersToIgnore: { 'content-length': true },
  };
  const expected = String(sign(request, credentials).headers?.Authorization);
  return expected.replaceAll(', ', ',') === authorization.replaceAll(', ', ',')
    ? { region, service, signedHeaders }
    : undefined;
}
