/** Signed requests to a service of Open Telekom Cloud. */
import { type HttpAnswer, httpClient, type RequestLimits } from '../http/client.ts';
import { type Credentials, canonicalQueryString, encodePath, type Query, sign } from './signer.ts';

export interface OtcRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Signs each request with its credentials as of `now` and sends it to `endpoint`, `{scheme}://{authority}`. Redirects
 * are not followed. The answer holds nothing of the credentials. Throws what `HttpClient` throws.
 */
export type SigningClient = (
  request: OtcRequest,
  credentials: Credentials,
  now: Date,
  limits: RequestLimits,
) => Promise<HttpAnswer>;

export function signingClient(endpoint: string): SigningClient {
  const { host } = new URL(endpoint);
  const send = httpClient(endpoint);

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
    return { ...answer, text: redact(answer.text, [...Object.values(credentials), signature]) };
  };
}

/**
 * The gateway quotes the access key and the headers that it refuses; no caller and no log may read them. The text is
 * JSON, which may write any character as an escape (`\/`), so it is also searched in its unescaped form.
 */
function redact(text: string, secrets: readonly string[]): string {
  const hide = (from: string, spellings = secrets) =>
    spellings.reduce((rest, secret) => (rest.includes(secret) ? rest.replaceAll(secret, '[redacted]') : rest), from);
  if (!text.includes('\\')) return hide(text);
  // A security token may hold a quotation mark or a backslash, which JSON always escapes.
  const spellings = [...secrets, ...secrets.map((secret) => JSON.stringify(secret).slice(1, -1))];
  try {
    const unescaped = JSON.stringify(JSON.parse(text));
    const hidden = hide(unescaped, spellings);
    return hidden === unescaped ? hide(text, spellings) : hidden;
  } catch {
    return hide(text, spellings);
  }
}
