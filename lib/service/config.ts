/** The environment, read and checked. */
import { type InstanceSelector, parseSelector } from '../backup/instances.ts';
import type { MonitorPolicy } from '../backup/monitor.ts';
import type { RetentionPolicy, RetentionRule } from '../backup/retention.ts';
import { Failure } from '../errors.ts';
import { endpointOf, REGIONS } from '../otc/endpoints.ts';
import type { Credentials } from '../otc/signer.ts';
import { DAY, HOUR } from '../time.ts';

export interface ProjectConfig {
  readonly id: string;
  readonly region: string;
  /** The origin of DDS's API. */
  readonly endpoint: string;
}

export interface Config {
  /** One at least. */
  readonly projects: readonly ProjectConfig[];
  /** From the environment, which wins over the secret. */
  readonly credentials?: Credentials;
  /** The name of the secret that holds what the environment does not. */
  readonly secretId?: string;
  readonly maxRequestAgeMillis: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Called for everything that is wrong, with a sentence that holds no key. */
export type Problem = (text: string) => void;

const HOURS = /^\d{1,4}(\.\d{1,4})?$/;

/**
 * Reads the configuration. An empty variable counts as missing.
 * @param hasCredentials the platform hands out the access key
 * @throws Failure `ConfigurationError` that names every variable that is missing or wrong, and no value
 */
export function readConfig(env: Environment, hasCredentials = false): Config {
  return checked((problem) => {
    const secretId = env.OTC_CREDENTIALS_SECRET || undefined;
    const { OTC_SDK_AK: ak, OTC_SDK_SK: sk, OTC_SDK_SECURITY_TOKEN: security_token } = env;
    if (!hasCredentials && !ak && !sk && secretId === undefined) {
      problem(
        'OTC_SDK_AK and OTC_SDK_SK are missing (or OTC_CREDENTIALS_SECRET, the name of the secret that holds them)',
      );
    }
    const credentials = readCredentials({ ak, sk, security_token }, problem, (field) => VARIABLES[field]);
    if (!['required', 'none', 'gateway'].includes(env.HTTP_AUTH || 'required'))
      problem('HTTP_AUTH must be required, none or gateway');
    return {
      projects: readProjects(env, problem),
      ...(credentials && { credentials }),
      ...(secretId !== undefined && { secretId }),
      maxRequestAgeMillis: readMaxRequestAge(env, problem),
    };
  });
}

/**
 * Reads what only the monitor needs. An empty variable counts as missing.
 * @throws Failure `ConfigurationError` that names every variable that is missing or wrong
 */
export function readMonitorConfig(env: Environment): MonitorPolicy {
  return checked((problem) => {
    // There may be nothing to publish for days: an error on the first event would come too late.
    if (!env.EVENT_BUS) problem('EVENT_BUS (on FunctionGraph EVENT_TOPIC_URN) is missing');
    const backupAgeOf = env.BACKUP_AGE_OF || 'any';
    if (backupAgeOf !== 'any' && backupAgeOf !== 'manual') problem('BACKUP_AGE_OF must be any or manual');
    const [, hour = '', minute = ''] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(env.REPORT_TIME || '06:00') ?? [];
    if (hour === '') problem('REPORT_TIME must be a time such as 06:00, in UTC');
    return {
      stuckAfterHours: readHours(env, 'STUCK_AFTER_HOURS', '12', problem),
      maxBackupAgeHours: readHours(env, 'MAX_BACKUP_AGE_HOURS', '26', problem),
      overrides: readOverrides(env.MAX_BACKUP_AGE_OVERRIDES ?? '', problem),
      backupAgeOf: backupAgeOf === 'manual' ? backupAgeOf : 'any',
      reportMinute: Number(hour) * 60 + Number(minute),
    };
  });
}

function readOverrides(text: string, problem: Problem): ReadonlyMap<string, number | 'off'> {
  const overrides = new Map<string, number | 'off'>();
  for (const override of text === '' ? [] : text.split(/, ?/)) {
    const [, id = '', limit = ''] = /^([A-Za-z0-9-]{1,64})=(off|[1-9]\d{0,3})$/.exec(override) ?? [];
    if (id === '') problem('MAX_BACKUP_AGE_OVERRIDES must be a list such as id=48,id=off');
    overrides.set(id, limit === 'off' ? limit : Number(limit));
  }
  return overrides;
}

export interface NightlyConfig {
  readonly instances: InstanceSelector;
  readonly except: ReadonlySet<string>;
  readonly namePrefix: string;
}

/**
 * Reads what only the nightly fan-out needs. An empty variable counts as missing.
 * @throws Failure `ConfigurationError` that names every variable that is missing or wrong
 */
export function readNightlyConfig(env: Environment): NightlyConfig {
  return checked((problem) => {
    const instances = parseSelector(env.NIGHTLY_INSTANCES ?? '');
    if (!instances) problem('NIGHTLY_INSTANCES must be all, tag:key=value, or ids with commas between');
    const namePrefix = env.NIGHTLY_NAME_PREFIX || 'nightly';
    if (!PREFIX.test(namePrefix))
      problem('NIGHTLY_NAME_PREFIX must be 1 to 30 characters: a letter, then letters, digits, - and _');
    return {
      instances: instances ?? { kind: 'ids', ids: new Set() },
      except: readIds(env, 'NIGHTLY_EXCEPT', problem),
      namePrefix,
    };
  });
}

const PREFIX = /^[A-Za-z][A-Za-z0-9_-]{0,29}$/;

/** Ids with commas between. */
function readIds(env: Environment, variable: string, problem: Problem): ReadonlySet<string> {
  const ids = env[variable] ? env[variable].split(/, ?/) : [];
  if (!ids.every((id) => /^[A-Za-z0-9-]{1,64}$/.test(id))) problem(`${variable} must be ids with commas between`);
  return new Set(ids);
}

export interface RetentionConfig {
  readonly policy: RetentionPolicy;
  readonly mode: 'report' | 'delete';
}

/**
 * Reads what only retention needs. An empty variable counts as missing.
 * @throws Failure `ConfigurationError` that names every variable that is missing or wrong
 */
export function readRetentionConfig(env: Environment): RetentionConfig {
  return checked((problem) => {
    if (!env.EVENT_BUS) problem('EVENT_BUS (on FunctionGraph EVENT_TOPIC_URN) is missing');
    const maxAge = readMaxRequestAge(env, problem);
    const mode = env.RETENTION_MODE || 'report';
    if (mode !== 'report' && mode !== 'delete') problem('RETENTION_MODE must be report or delete');
    const selector = parseSelector(env.RETENTION_INSTANCES || 'all');
    if (!selector) problem('RETENTION_INSTANCES must be all, tag:key=value, or ids with commas between');
    if (mode === 'delete' && !env.RETENTION_INSTANCES) problem('RETENTION_INSTANCES is missing, and needed to delete');
    const maxDeletions = env.RETENTION_MAX_DELETIONS || '5';
    if (!/^[1-9]\d{0,3}$/.test(maxDeletions)) problem('RETENTION_MAX_DELETIONS must be a number from 1 to 9999');
    return {
      policy: {
        rules: readRules(env.RETENTION ?? '', maxAge, problem),
        instances: selector ?? { kind: 'ids', ids: new Set() },
        holds: readIds(env, 'RETENTION_HOLDS', problem),
        maxDeletions: Number(maxDeletions),
      },
      mode: mode === 'delete' ? mode : 'report',
    };
  });
}

const RULE = /^([A-Za-z][A-Za-z0-9_-]{0,29}): ?keep-within (\d{1,4})([hdw])(?:, ?keep-last (\d{1,4}))?$/;
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: DAY, w: 7 * DAY };

/** Rules with semicolons between. A later delivery of a trigger must still find its backup: it is DDS's memory. */
function readRules(text: string, maxRequestAge: number, problem: Problem): readonly RetentionRule[] {
  const least = maxRequestAge + 2 * DAY;
  const texts = text
    .split(';')
    .map((rule) => rule.trim())
    .filter(Boolean);
  if (texts.length === 0) problem('RETENTION is missing');
  const rules = texts.flatMap((rule): RetentionRule[] => {
    const [, prefix, amount, unit = '', last = '1'] = RULE.exec(rule) ?? [];
    const keepWithinMillis = Number(amount) * (UNITS[unit] ?? Number.NaN);
    const name = rule.slice(0, 64);
    if (prefix === undefined || last === '0') {
      problem(`RETENTION must be rules such as "nightly: keep-within 14d, keep-last 3", not "${name}"`);
      return [];
    }
    if (keepWithinMillis < least) problem(`RETENTION: keep-within of ${prefix} must be at least ${least / HOUR}h`);
    return [{ prefix, keepWithinMillis, keepLast: Number(last), text: name }];
  });
  if (new Set(rules.map(({ prefix }) => prefix)).size < rules.length) problem('RETENTION names a prefix twice');
  return rules;
}

export interface CredentialFields {
  readonly ak?: unknown;
  readonly sk?: unknown;
  readonly security_token?: unknown;
}

const VARIABLES: Readonly<Record<keyof CredentialFields, string>> = {
  ak: 'OTC_SDK_AK',
  sk: 'OTC_SDK_SK',
  security_token: 'OTC_SDK_SECURITY_TOKEN',
};

/**
 * Checks an access key as it was given. Everything may be missing, but `ak` and `sk` go together.
 * @param label what the reader of a problem knows each field by
 */
export function readCredentials(
  fields: CredentialFields,
  problem: Problem,
  label: (field: keyof CredentialFields) => string,
): Credentials | undefined {
  const token = (field: keyof CredentialFields): string | undefined => {
    const value = fields[field] ?? '';
    if (value === '') return undefined;
    // They travel in headers. A secret that was read from a file often ends in a line feed.
    if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value;
    problem(
      typeof value === 'string'
        ? `${label(field)} holds white space or a character that is not ASCII`
        : `${label(field)} must be a string`,
    );
    return undefined;
  };
  const [ak, sk, securityToken] = [token('ak'), token('sk'), token('security_token')];
  if (fields.sk && !fields.ak) problem(`${label('ak')} is missing`);
  if (fields.ak && !fields.sk) problem(`${label('sk')} is missing`);
  return ak && sk ? { ak, sk, ...(securityToken && { securityToken }) } : undefined;
}

const DEFAULT_REGION = 'eu-de';

/** One project, or several as `region:project_id` with commas between. */
function readProjects(env: Environment, problem: Problem): readonly ProjectConfig[] {
  const { OTC_SDK_PROJECT_ID: single = '', OTC_SDK_REGION, OTC_SDK_PROJECTS: several } = env;
  const override = readOverride(env.DDS_ENDPOINT, problem);
  const endpointIn = (region: string): string => {
    const endpoint = override ?? endpointOf('dds', region);
    if (endpoint === undefined)
      problem(
        `the region in ${several ? 'OTC_SDK_PROJECTS' : 'OTC_SDK_REGION'} must be one of ${REGIONS.join(', ')}, or set DDS_ENDPOINT`,
      );
    return endpoint ?? '';
  };
  if (!several) {
    const region = OTC_SDK_REGION || DEFAULT_REGION;
    if (single === '') problem('OTC_SDK_PROJECT_ID is missing');
    else if (!ID.test(single)) problem('OTC_SDK_PROJECT_ID must be letters, digits, hyphens and underscores');
    return [{ id: single, region, endpoint: endpointIn(region) }];
  }
  const projects = several.split(',').map((text): ProjectConfig => {
    const [region = '', id = '', ...rest] = text.trim().split(':');
    if (!ID.test(region) || !ID.test(id) || rest.length > 0)
      problem('OTC_SDK_PROJECTS must be a list such as eu-de:project_id,eu-nl:project_id');
    return { id, region, endpoint: endpointIn(region) };
  });
  if (new Set(projects.map(({ id }) => id)).size < projects.length) problem('OTC_SDK_PROJECTS names a project twice');
  return projects;
}

const ID = /^[\w-]{1,64}$/;

/** Undefined where it is missing. */
function readOverride(endpoint: string | undefined, problem: Problem): string | undefined {
  if (!endpoint) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isLocal = url?.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url && (url.protocol === 'https:' || isLocal) && [url.origin, `${url.origin}/`].includes(endpoint))
    return url.origin;
  problem('DDS_ENDPOINT must be https://host or https://host:port (http:// on this machine only)');
  return 'https://invalid';
}

/** One day below `executionTimeout` in serverless.yml: an execution of deferred must end by itself. */
export const MAX_REQUEST_AGE_HOURS = 168;

function readMaxRequestAge(env: Environment, problem: Problem): number {
  const hours = readHours(env, 'MAX_REQUEST_AGE_HOURS', '24', problem);
  if (hours > MAX_REQUEST_AGE_HOURS) problem(`MAX_REQUEST_AGE_HOURS must be at most ${MAX_REQUEST_AGE_HOURS}`);
  return hours * HOUR;
}

function readHours(env: Environment, variable: string, fallback: string, problem: Problem): number {
  const hours = env[variable] || fallback;
  if (!HOURS.test(hours) || Number(hours) === 0)
    problem(`${variable} must be a number of hours, more than 0 and less than 10000`);
  return Number(hours);
}

function checked<T>(read: (problem: Problem) => T): T {
  const problems: string[] = [];
  const value = read((text) => void problems.push(text));
  if (problems.length > 0)
    throw new Failure('ConfigurationError', `Configuration: ${[...new Set(problems)].join('; ')}.`);
  return value;
}
