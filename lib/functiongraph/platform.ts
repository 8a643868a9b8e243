/** The composition root of FunctionGraph: configuration from user data, keys from the context of each invocation. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Failure } from '../errors.ts';
import type { Credentials } from '../otc/signer.ts';
import type { Environment } from '../service/config.ts';
import type { Invocation } from '../service/ports.ts';
import { backupService, type Service, type ServiceOptions } from '../service/service.ts';
import { systemTiming } from '../time.ts';
import { topicNotifier, topicPublisher } from './topic.ts';

/**
 * What FunctionGraph hands to a handler, as far as it is used.
 * Source: FunctionGraph developer guide, "Developing Functions in Node.js".
 */
export interface FunctionGraphContext {
  getRequestID(): string;
  getRemainingTimeInMilliSeconds(): number;
  /** Of the function's agency, as are the others. They are valid for 24 hours, and new in each invocation. */
  getSecurityAccessKey(): string | undefined;
  getSecuritySecretKey(): string | undefined;
  getSecurityToken(): string | undefined;
  getUserData(key: string): string | undefined;
  getProjectID(): string | undefined;
}

/** The variables that the functions read; FunctionGraph has no process environment of its own for them. */
export const VARIABLES = [
  'OTC_SDK_PROJECT_ID',
  'OTC_SDK_REGION',
  'DDS_ENDPOINT',
  'SMN_ENDPOINT',
  'WEBHOOK_SECRET',
  'HTTP_AUTH',
  'MAX_REQUEST_AGE_HOURS',
  'MAX_WAIT_SECONDS',
  'EVENT_TOPIC_URN',
  'ALARM_TOPIC_URN',
  'STUCK_AFTER_HOURS',
  'MAX_BACKUP_AGE_HOURS',
  'MAX_BACKUP_AGE_OVERRIDES',
  'BACKUP_AGE_OF',
  'REPORT_TIME',
  'RETENTION',
  'RETENTION_MODE',
  'RETENTION_INSTANCES',
  'RETENTION_HOLDS',
  'RETENTION_MAX_DELETIONS',
  'STAGE',
] as const;

const ORIGIN = ['OTC_SDK_PROJECT_ID', 'OTC_SDK_REGION', 'STAGE'] as const;

/** FunctionGraph runs in no other. */
const REGION = 'eu-de';

const current = new AsyncLocalStorage<FunctionGraphContext>();

const platformCredentials = async (): Promise<Credentials> => {
  const context = current.getStore();
  const ak = context?.getSecurityAccessKey();
  const sk = context?.getSecuritySecretKey();
  const securityToken = context?.getSecurityToken();
  if (ak && sk) return { ak, sk, ...(securityToken && { securityToken }) };
  throw new Failure(
    'ConfigurationError',
    'The function has no access key. Give it an agency with rights for DDS and SMN.',
  );
};

/** A FunctionGraph handler: declared with two parameters, which its runtime counts. */
export type Handler = (event: unknown, context: FunctionGraphContext) => Promise<unknown>;

/**
 * Makes the handler of a stack. The service is wired from the user data of the first invocation, and lives as long as
 * the process; keys and time are those of each invocation.
 * @param options what replaces the defaults
 */
export function handlerOf(
  stackOf: (service: Service) => (event: never, context: never) => Promise<unknown>,
  options: Partial<ServiceOptions> = {},
): Handler {
  let stack: ReturnType<typeof stackOf> | undefined;
  return async (event: unknown, context: FunctionGraphContext) => {
    stack ??= stackOf(serviceOf(context, options));
    // middy's types ask for the event that the last middleware leaves.
    return current.run(context, stack, event as never, invocationOf(context) as never);
  };
}

function serviceOf(context: FunctionGraphContext, options: Partial<ServiceOptions>): Service {
  const env = environmentOf(context);
  // Where a log line comes from is read there.
  for (const name of ORIGIN) if (env[name]) process.env[name] = env[name];
  const { timing = systemTiming } = options;
  return backupService({
    env,
    timing,
    platformCredentials,
    readSecret: unsupported,
    publish: topicPublisher(env, platformCredentials, timing),
    notify: topicNotifier(env, platformCredentials, timing),
    handover: unsupported,
    ...options,
  });
}

function environmentOf(context: FunctionGraphContext): Environment {
  const given = VARIABLES.map((name) => [name, context.getUserData(name)] as const);
  return {
    OTC_SDK_PROJECT_ID: context.getProjectID(),
    OTC_SDK_REGION: REGION,
    ...Object.fromEntries(given.filter(([, value]) => value)),
    // What the service calls EVENT_BUS is a topic here.
    EVENT_BUS: context.getUserData('EVENT_TOPIC_URN'),
  };
}

const unsupported = async (): Promise<never> => {
  throw new Failure('ConfigurationError', 'FunctionGraph has no such service. Use the agency and the user data.');
};

/** The context in the names that middy knows. */
const invocationOf = (context: FunctionGraphContext): Invocation => ({
  awsRequestId: context.getRequestID(),
  getRemainingTimeInMillis: () => context.getRemainingTimeInMilliSeconds(),
});
