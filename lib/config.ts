/** The environment, read and checked. */
import { Failure } from './failure.ts';
import { type Keys, readKeys } from './keys.ts';
import { endpoint, REGIONS } from './otc/endpoint.ts';

export interface Config {
  readonly projectId: string;
  /** The origin of DDS's API. */
  readonly endpoint: string;
  /** What the environment has: it wins over the secret. */
  readonly keys: Keys;
  /** The Secrets Manager secret that has what the environment has not. */
  readonly secretId?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLES = {
  ak: 'OTC_SDK_AK',
  sk: 'OTC_SDK_SK',
  security_token: 'OTC_SDK_SECURITY_TOKEN',
  webhook_secret: 'WEBHOOK_SECRET',
} as const;

/**
 * Reads the configuration. A variable that is empty counts as missing.
 * @throws Failure `ConfigurationError` that names every variable that is missing or wrong, and none of their values
 */
export function readConfig(env: Environment): Config {
  const problems: string[] = [];
  const problem = (text: string) => void problems.push(text);

  const projectId = env.OTC_SDK_PROJECT_ID || undefined;
  if (projectId === undefined) problem('OTC_SDK_PROJECT_ID is missing');
  else if (!/^[\w-]{1,64}$/.test(projectId)) problem('OTC_SDK_PROJECT_ID holds what no id does');

  const origin = ddsEndpoint(env, problem);

  const secretId = env.OTC_CREDENTIALS_SECRET || undefined;
  const {
    OTC_SDK_AK: ak,
    OTC_SDK_SK: sk,
    OTC_SDK_SECURITY_TOKEN: security_token,
    WEBHOOK_SECRET: webhook_secret,
  } = env;
  if (!ak && !sk && secretId === undefined) {
    problem(
      'OTC_SDK_AK and OTC_SDK_SK are missing (or OTC_CREDENTIALS_SECRET, the name of the secret that holds them)',
    );
  }
  const keys = readKeys({ ak, sk, security_token, webhook_secret }, problem, (field) => VARIABLES[field]);

  if (!['required', 'none'].includes(env.HTTP_AUTH || 'required')) problem('HTTP_AUTH must be required or none');

  if (projectId === undefined || origin === undefined || problems.length > 0) {
    throw new Failure('ConfigurationError', `The function is not configured: ${problems.join('; ')}.`);
  }
  return { projectId, endpoint: origin, keys, ...(secretId !== undefined && { secretId }) };
}

function ddsEndpoint(env: Environment, problem: (text: string) => void): string | undefined {
  const override = env.DDS_ENDPOINT;
  if (!override) {
    const inRegion = endpoint('dds', env.OTC_SDK_REGION || 'eu-de');
    if (inRegion === undefined)
      problem(`OTC_SDK_REGION must be one of ${REGIONS.join(', ')}, or DDS_ENDPOINT be given`);
    return inRegion;
  }
  const url = URL.parse(override);
  const local = url?.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url && (url.protocol === 'https:' || local) && [url.origin, `${url.origin}/`].includes(override))
    return url.origin;
  problem('DDS_ENDPOINT must be https://host or https://host:port (http:// for this machine only)');
  return undefined;
}

/** What `watch` is told beside that. */
export interface WatchConfig {
  readonly stuckAfterHours: number;
  readonly ignored: ReadonlySet<string>;
}

/**
 * Reads what only `watch` needs. A variable that is empty counts as missing.
 * @throws Failure `ConfigurationError` that names every variable that is missing or wrong
 */
export function readWatchConfig(env: Environment): WatchConfig {
  const problems: string[] = [];
  // Nothing may have to be announced for days.
  if (!env.EVENT_BUS) problems.push('EVENT_BUS is missing');

  const hours = env.STUCK_AFTER_HOURS || '12';
  if (!/^\d{1,4}(\.\d{1,4})?$/.test(hours) || Number(hours) === 0)
    problems.push('STUCK_AFTER_HOURS must be a number of hours, more than 0 and less than 10000');

  const ignores = env.FRESHNESS_IGNORES ? env.FRESHNESS_IGNORES.split(/, ?/) : [];
  if (!ignores.every((id) => /^[A-Za-z0-9-]{1,64}$/.test(id)))
    problems.push('FRESHNESS_IGNORES must be ids of instances with commas between');

  if (problems.length > 0)
    throw new Failure('ConfigurationError', `The function is not configured: ${problems.join('; ')}.`);
  return { stuckAfterHours: Number(hours), ignored: new Set(ignores) };
}
