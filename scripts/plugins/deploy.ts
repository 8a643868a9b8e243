/**
 * Checks the parameters before the service is packaged or deployed: a mistake shows here and not at every event. What
 * only a deployment needs is not required for packaging.
 */
import { REGIONS } from '../../lib/otc/endpoints.ts';
import {
  type Environment,
  MAX_REQUEST_AGE_HOURS,
  readConfig,
  readMonitorConfig,
  readNightlyConfig,
  readRetentionConfig,
} from '../../lib/service/config.ts';
import { firstSkippedRun, isSchedule, isTimeZone } from './schedule.ts';

interface Serverless {
  /** The framework prints an error of this class without a stack trace. */
  classes: { Error: new (message: string, code: string) => Error };
  processedInput: { commands: string[]; options: { param?: readonly string[] } };
  configurationInput: { params: { default: Record<string, unknown> } };
  service: { custom?: { parameters?: Record<string, unknown> } };
}

interface Utilities {
  log: { warning(text: string): void };
}

/** By name. A parameter that is not given is an empty text. */
type Parameters = Readonly<Record<string, string>>;

interface Rule {
  readonly accepts: (value: string, parameters: Parameters) => boolean;
  /** What to give, to complete an error. */
  readonly give: string;
}

const matches = (rule: RegExp) => (value: string) => rule.test(value);

/** A rule of the functions' own configuration. */
const isConfig = (env: Environment): boolean =>
  succeeds(() => readConfig({ OTC_SDK_PROJECT_ID: 'any', OTC_CREDENTIALS_SECRET: 'any', ...env }));
const isMonitorConfig = (env: Environment): boolean => succeeds(() => readMonitorConfig({ EVENT_BUS: 'any', ...env }));
const isNightlyConfig = (env: Environment): boolean =>
  succeeds(() => readNightlyConfig({ NIGHTLY_INSTANCES: 'all', ...env }));
const isRetentionConfig = (env: Environment): boolean =>
  succeeds(() => readRetentionConfig({ EVENT_BUS: 'any', RETENTION: 'any: keep-within 9999d', ...env }));

function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

const isSecretName = matches(/^[\w/+=.@-]{1,512}$/);

const RULES: Readonly<Record<string, Rule>> = {
  projectId: {
    accepts: (value) => value === '' || isConfig({ OTC_SDK_PROJECT_ID: value }),
    give: 'the id of the project on Open Telekom Cloud',
  },
  otcRegion: {
    accepts: (value, { ddsEndpoint }) => value !== '' && (ddsEndpoint !== '' || isConfig({ OTC_SDK_REGION: value })),
    give: `one of ${REGIONS.join(', ')}, or ddsEndpoint too`,
  },
  projects: {
    accepts: (value, { projectId, ddsEndpoint }) =>
      value === '' || (projectId === '' && isConfig({ OTC_SDK_PROJECTS: value, DDS_ENDPOINT: ddsEndpoint })),
    give: `a list such as eu-de:project_id,eu-nl:project_id, without projectId; regions are ${REGIONS.join(', ')}, or any with ddsEndpoint`,
  },
  ddsEndpoint: {
    accepts: (value) => isConfig({ DDS_ENDPOINT: value }),
    give: 'https://host or https://host:port',
  },
  credentialsSecret: {
    accepts: isSecretName,
    give: 'the name of a secret, not its ARN',
  },
  maxRequestAgeHours: {
    accepts: (value) =>
      value !== '' && isConfig({ MAX_REQUEST_AGE_HOURS: value }) && Number(value) <= MAX_REQUEST_AGE_HOURS,
    give: `a number of hours, more than 0 and at most ${MAX_REQUEST_AGE_HOURS}`,
  },
  eventBus: {
    accepts: matches(/^[\w./-]{1,256}$/),
    give: 'the name of an event bus, not its ARN',
  },
  eventSource: {
    accepts: matches(/^.{1,256}$/),
    give: 'the source of the events that ask for a backup',
  },
  eventDetailType: {
    // A published event would come in as a request, be rejected, and be published again.
    accepts: matches(/^(?!DDS Backup ).{1,128}$/),
    give: 'a detail-type that does not begin with "DDS Backup "',
  },
  nightlyInstances: {
    accepts: (value) => value === '' || isNightlyConfig({ NIGHTLY_INSTANCES: value }),
    give: 'all, tag:key=value, or ids with commas between',
  },
  nightlyExcept: {
    accepts: (value) => isNightlyConfig({ NIGHTLY_EXCEPT: value }),
    give: 'ids of instances with commas between',
  },
  nightlyNamePrefix: {
    accepts: (value) => value !== '' && isNightlyConfig({ NIGHTLY_NAME_PREFIX: value }),
    give: '1 to 30 letters, digits, hyphens and underscores, with a letter first',
  },
  nightlySchedule: {
    accepts: isSchedule,
    give: 'cron(…) with six fields, rate(…) or at(…) of EventBridge Scheduler, such as cron(30 4 * * ? *)',
  },
  nightlyTimezone: {
    accepts: isTimeZone,
    give: 'the name of an IANA time zone, such as Europe/Berlin',
  },
  webhookRoute: {
    accepts: matches(/^(on|off)$/),
    give: 'on or off',
  },
  stuckAfterHours: {
    accepts: (value) => value !== '' && isMonitorConfig({ STUCK_AFTER_HOURS: value }),
    give: 'a number of hours, more than 0 and less than 10000',
  },
  maxBackupAgeHours: {
    accepts: (value) => value !== '' && isMonitorConfig({ MAX_BACKUP_AGE_HOURS: value }),
    give: 'a number of hours, more than 0 and less than 10000',
  },
  maxBackupAgeOverrides: {
    accepts: (value) => isMonitorConfig({ MAX_BACKUP_AGE_OVERRIDES: value }),
    give: 'a list such as id=48,id=off',
  },
  backupAgeOf: {
    accepts: (value) => value !== '' && isMonitorConfig({ BACKUP_AGE_OF: value }),
    give: 'any or manual',
  },
  reportTime: {
    accepts: (value) => value !== '' && isMonitorConfig({ REPORT_TIME: value }),
    give: 'a time of day in UTC, such as 06:00',
  },
  retention: {
    accepts: (value, { maxRequestAgeHours }) =>
      value === '' || isRetentionConfig({ RETENTION: value, MAX_REQUEST_AGE_HOURS: maxRequestAgeHours }),
    give: 'rules such as "nightly: keep-within 14d, keep-last 3", with semicolons between, each for another prefix and for at least two days more than maxRequestAgeHours',
  },
  retentionSecret: {
    accepts: (value, { retention }) => (value === '' ? retention === '' : isSecretName(value)),
    give: 'the name of a secret, not its ARN, with an access key that may delete backups',
  },
  retentionMode: {
    accepts: (value) => value !== '' && isRetentionConfig({ RETENTION_MODE: value, RETENTION_INSTANCES: 'all' }),
    give: 'report or delete',
  },
  retentionInstances: {
    accepts: (value, { retentionMode }) =>
      isRetentionConfig({
        RETENTION_INSTANCES: value,
        RETENTION_MODE: retentionMode === 'delete' ? retentionMode : 'report',
      }),
    give: 'all, tag:key=value, or ids with commas between; to delete it is required',
  },
  retentionHolds: {
    accepts: (value) => isRetentionConfig({ RETENTION_HOLDS: value }),
    give: 'ids of backups and instances with commas between',
  },
  retentionMaxDeletions: {
    accepts: (value) => value !== '' && isRetentionConfig({ RETENTION_MAX_DELETIONS: value }),
    give: 'a number from 1 to 9999',
  },
  alarmEmail: {
    accepts: (value, { alarmTopicArn }) =>
      value === '' || (/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value) && alarmTopicArn === ''),
    give: 'an e-mail address, without alarmTopicArn',
  },
  alarmTopicArn: {
    accepts: matches(/^(none|arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+)?$/),
    give: 'the ARN of an SNS topic, or none',
  },
};

/** Of a deployment only. */
const REQUIRED: Readonly<Record<string, Rule>> = {
  projectId: {
    accepts: (value, { projects }) => value !== '' || projects !== '',
    give: 'the id of the project on Open Telekom Cloud, or projects with several',
  },
  alarmEmail: {
    accepts: (value, { alarmTopicArn }) => value !== '' || alarmTopicArn !== '',
    give: 'an e-mail address for alarms, or alarmTopicArn with the ARN of an SNS topic, or alarmTopicArn=none',
  },
};

export default class DeployPlugin {
  readonly hooks = { initialize: () => this.#check() };
  readonly #serverless: Serverless;
  readonly #log: Utilities['log'];
  readonly #now: () => Date;

  constructor(serverless: Serverless, _options: unknown, { log }: Utilities, now = () => new Date()) {
    this.#serverless = serverless;
    this.#log = log;
    this.#now = now;
  }

  #check(): void {
    const [command, subcommand] = this.#serverless.processedInput.commands;
    const deploys = command === 'deploy' && subcommand !== 'list';
    if (!deploys && command !== 'package') return;

    const parameters = this.#parameters();
    const errors = [...this.#unknown(), ...broken(RULES, parameters), ...(deploys ? broken(REQUIRED, parameters) : [])];
    if (errors.length > 0) {
      const message = `Set parameters with --param "<name>=<value>":\n  ${errors.join('\n  ')}`;
      throw new this.#serverless.classes.Error(message, 'INVALID_PARAMETERS');
    }
    this.#warnOfSkippedRun(parameters);
  }

  #parameters(): Parameters {
    const values = this.#serverless.service.custom?.parameters ?? {};
    return Object.fromEntries(
      [...Object.keys(RULES), ...Object.keys(REQUIRED)].map((name) => [name, String(values[name] ?? '')]),
    );
  }

  /** The framework ignores a parameter that the service does not have. */
  #unknown(): string[] {
    const { processedInput, configurationInput } = this.#serverless;
    const known = Object.keys(configurationInput.params.default);
    return (processedInput.options.param ?? [])
      .map((parameter) => parameter.split('=')[0] ?? '')
      .filter((name) => !known.includes(name))
      .map((name) => `Unknown parameter: ${name}. Give one of ${known.join(', ')}.`);
  }

  #warnOfSkippedRun({ nightlyInstances, nightlySchedule = '', nightlyTimezone = '' }: Parameters): void {
    if (nightlyInstances === '') return;
    const skipped = firstSkippedRun(nightlySchedule, nightlyTimezone, this.#now());
    if (skipped === undefined) return;
    this.#log.warning(
      `nightlySchedule ${nightlySchedule}: the clocks of ${nightlyTimezone} skip ${skipped}, so Scheduler makes no run then. Give another time of day, or nightlyTimezone=UTC.`,
    );
  }
}

const broken = (rules: Readonly<Record<string, Rule>>, parameters: Parameters): string[] =>
  Object.entries(rules)
    .filter(([name, { accepts }]) => !accepts(parameters[name] ?? '', parameters))
    .map(([name, { give }]) => `Invalid ${name}: ${JSON.stringify(parameters[name] ?? '')}. Give ${give}.`);
