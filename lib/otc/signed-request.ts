/** Signed requests to an OTC service. */
import { type Answer, connection, type Limits } from './connection.ts';
import { type Credentials, canonicalQueryString, encodePath, type Query, sign } from './signer.ts';

export interface OtcRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type SignedRequest = (
  request: OtcRequest,
  credentials: Credentials,
  now: Date,
  limits: Limits,
) => Promise<Answer>;

/**
 * Signs each request with its credentials as of `now` and sends it to `endpoint`, `{scheme}://{authority}`, and nowhere
 * else: a redirect is not followed. The answer holds nothing of the credentials. Throws what `Send` throws.
 */
export function signedRequests(endpoint: string): SignedRequest {
  const { host } = new URL(endpoint);
  const send = connection(endpoint);

  return async ({ method, path, query = {}, headers = {}, body = '' }, credentials, now, limits) => {
    const search = canonicalQueryString(query);
    const signed = sign({ method, host, path, query, headers, body }, credentials, now);
    const answer = await send(
      {
        method,
        path: encodePath(path) + (search && `?${search}`),
        headers: { ...signed, 'content-length': String(Buffer.byteLength(body)) },
        body,
      },
      limits,
    );
    const signature = signed.authorization.slice(-64);
    return { ...answer, text: redacted(answer.text, [...Object.values(credentials), signature]) };
  };
}

/**
 * The gateway quotes the access key and the headers that it refuses; no caller and no log is to read them. The text is
 * JSON, which may write any character as an escape: `\/`.
 */
function redacted(text: string, secrets: readonly string[]): string {
  const hide = (from: string, spelled = secrets) =>
    spelled.reduce((rest, secret) => (rest.includes(secret) ? rest.replaceAll(secret, '[redacted]') : rest), from);
  if (!text.includes('\\')) return hide(text);
  // A security token may hold a quotation mark or a backslash, which JSON always escapes.
  const spelled = [...secrets, ...secrets.map((secret) => JSON.stringify(secret).slice(1, -1))];
  try {
    const unescaped = JSON.stringify(JSON.parse(text));
    const hidden = hide(unescaped, spelled);
    return hidden === unescaped ? hide(text, spelled) : hidden;
  } catch {
    return hide(text, spelled);
  }
}
