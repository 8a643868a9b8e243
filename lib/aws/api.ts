/** One signed call to an API of AWS, with a time-out of ours. Signature: SigV4, by aws4. */
import { type Budget, retry } from '../dds/retry.ts';
import { Failure, type Reason } from '../errors.ts';
import { type HttpAnswer, type HttpClient, httpClient } from '../http/client.ts';
import { fieldsOf, parseJson, textOf } from '../json.ts';
import type { Environment } from '../service/config.ts';
import { compactTime, SECOND, type Timing } from '../time.ts';

const ATTEMPT_MILLIS = 3 * SECOND;

export interface AwsRequest {
  readonly service: keyof typeof ENDPOINT_VARIABLES;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For the call with its retries. */
  readonly totalMillis: number;
  /** What the call is for, to begin a message with: `The secret x`. */
  readonly about: string;
  /** What to throw when the call fails for a cause that may pass. */
  readonly reason: Reason;
}

/**
 * Retries what may pass, as a request to DDS is retried: 3 seconds an attempt, `totalMillis` in all.
 * @returns the answer of a status below 300
 * @throws Failure `ConfigurationError` when what is called is missing, malformed or not permitted, and `reason` for
 * anything else. It holds the type of AWS's error and not its message: to a wrong signature AWS answers with all that
 * was signed, the session token too.
 */
export type AwsApi = (request: AwsRequest) => Promise<HttpAnswer>;

/** Region, keys and endpoints are those that Lambda and the SDKs read from the environment. */
export function awsApi(env: Environment, timing: Timing, attemptMillis = ATTEMPT_MILLIS): AwsApi {
  const clients = new Map<string, HttpClient>();

  async function send({ service, path = '/', headers, body }: AwsRequest, timeLeft: number): Promise<HttpAnswer> {
    // Loaded when it is first needed: an event that needs no key from AWS does not pay for it.
    const { default: aws4 } = await import('aws4');
    const origin = endpointOf(service, env);
    const client = clients.get(origin) ?? httpClient(origin);
    clients.set(origin, client);
    const { host } = new URL(origin);
    const signed = aws4.sign(
      {
        service,
        region: regionOf(env),
        host,
        method: 'POST',
        path,
        headers: { ...headers, host, 'x-amz-date': compactTime(timing.now()) },
        body,
      },
      keysOf(env),
    );
    return client(
      { method: 'POST', path, headers: texts(signed.headers), body },
      { timeoutMillis: Math.max(1, Math.min(attemptMillis, timeLeft)) },
    );
  }

  return async (request) => {
    const { about, reason, totalMillis } = request;
    const end = timing.now().getTime() + totalMillis;
    const budget: Budget = { timeLeft: () => end - timing.now().getTime() };
    const attempt = async () => {
      const answer = await send(request, budget.timeLeft());
      if (answer.status < 300) return answer;
      const type = errorType(answer);
      const message = `${about}: AWS answered ${answer.status} ${type}.`;
      if (isPermanent(type)) throw new Failure('ConfigurationError', `${message} ${ADVICE}`);
      throw new Failure(reason, message, { retry: 'now' });
    };
    const attempted = await retry(attempt, budget, timing);
    if ('answer' in attempted) return attempted.answer;
    const { refusal } = attempted;
    if (refusal.name === 'ConfigurationError') throw refusal;
    const message = refusal.name === reason ? refusal.message : `${about}: ${refusal.message}`;
    throw new Failure(reason, message, { cause: refusal });
  };
}

/** The variables of the SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
const ENDPOINT_VARIABLES = {
  secretsmanager: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  events: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
  sns: 'AWS_ENDPOINT_URL_SNS',
  lambda: 'AWS_ENDPOINT_URL_LAMBDA',
} as const;

/** The domains of the partitions other than `aws`, by the beginning of their regions' names. */
const SUFFIXES: readonly (readonly [region: RegExp, suffix: string])[] = [
  [/^cn-/, 'amazonaws.com.cn'],
  [/^eusc-/, 'amazonaws.eu'],
  [/^us-iso-/, 'c2s.ic.gov'],
  [/^us-isob-/, 'sc2s.sgov.gov'],
  [/^us-isof-/, 'csp.hci.ic.gov'],
  [/^eu-isoe-/, 'cloud.adc-e.uk'],
];

/** @throws Failure `ConfigurationError` without a region, and for an endpoint that is no URL */
export function endpointOf(service: AwsRequest['service'], env: Environment): string {
  const variable = env[ENDPOINT_VARIABLES[service]] ? ENDPOINT_VARIABLES[service] : 'AWS_ENDPOINT_URL';
  const override = env[variable];
  if (override) {
    if (/^https?:/i.test(override) && URL.canParse(override)) return new URL(override).origin;
    throw new Failure('ConfigurationError', `Configuration: ${variable} must be a URL such as https://example.com.`);
  }
  const region = regionOf(env);
  const [, suffix = 'amazonaws.com'] = SUFFIXES.find(([regions]) => regions.test(region)) ?? [];
  return `https://${service}.${region}.${suffix}`;
}

function regionOf({ AWS_REGION, AWS_DEFAULT_REGION }: Environment): string {
  const region = AWS_REGION || AWS_DEFAULT_REGION;
  if (region) return region;
  throw new Failure('ConfigurationError', 'Configuration: AWS_REGION is missing.');
}

function keysOf({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN }: Environment) {
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY)
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    };
  throw new Failure('ConfigurationError', 'Configuration: AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is missing.');
}

/**
 * The type of an error: in the JSON protocol with or without a namespace, in the query protocol of SNS in XML, of Lambda
 * in a header.
 */
function errorType({ status, headers, text }: HttpAnswer): string {
  const body = fieldsOf(parseJson(text));
  const stated =
    headers['x-amzn-errortype'] ??
    body.__type ??
    body.code ??
    fieldsOf(body.Error).Code ??
    /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
  const [, type] = /^(?:[\w.]*#)?(\w{1,100})/.exec(textOf(stated)) ?? [];
  return type ?? TYPES_BY_STATUS[status] ?? 'without a type';
}

const TYPES_BY_STATUS: Readonly<Record<number, string>> = { 403: 'AccessDenied', 404: 'NotFound' };

const isPermanent = (type: string): boolean =>
  /^(ResourceNotFound|NotFound|AccessDenied|AuthorizationError|KMS(?!Throttling|Internal)|RequestEntityTooLarge|Validation|InvalidParameter|InvalidRequest)/.test(
    type,
  );

const ADVICE = 'Does it exist, and may the function use it?';

const texts = (headers: Readonly<Record<string, unknown>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
