import { describe, expect, it } from 'vitest';
import DeployPlugin from './deploy.ts';

const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:on-call';
const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';

/** As serverless.yml resolves them. */
const VALID = {
  projectId: '0549b4a43100d4f32f51c01c2fe4acdb',
  otcRegion: 'eu-de',
  projects: '',
  ddsEndpoint: '',
  credentialsSecret: 'dds-backup-trigger',
  maxRequestAgeHours: 24,
  eventBus: 'default',
  eventSource: 'dds-backup-trigger.requests.dev',
  eventDetailType: 'Backup Requested',
  nightlyInstances: '',
  nightlyExcept: '',
  nightlyNamePrefix: 'nightly',
  nightlySchedule: 'cron(30 4 * * ? *)',
  nightlyTimezone: 'UTC',
  webhookRoute: 'off',
  stuckAfterHours: 12,
  maxBackupAgeHours: 26,
  maxBackupAgeOverrides: '',
  backupAgeOf: 'any',
  reportTime: '06:00',
  retention: '',
  retentionSecret: '',
  retentionMode: 'report',
  retentionInstances: '',
  retentionHolds: '',
  retentionMaxDeletions: 5,
  alarmEmail: '',
  alarmTopicArn: TOPIC,
};

/** @param param as given on the command line, `name=value` */
function check(command: string, parameters: Record<string, unknown> = {}, param?: readonly string[]) {
  const warnings: string[] = [];
  const plugin = new DeployPlugin(
    {
      classes: { Error },
      processedInput: { commands: command.split(' '), options: { ...(param && { param }) } },
      configurationInput: { params: { default: { projectId: null, maxBackupAgeHours: 26 } } },
      service: { custom: { parameters: { ...VALID, ...parameters } } },
    },
    {},
    { log: { warning: (text) => warnings.push(text) } },
    () => new Date('2026-01-10T12:00:00Z'),
  );
  try {
    plugin.hooks.initialize();
    return { warnings };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [heading, ...errors] = error.message.split('\n');
    return { warnings, heading, errors: errors.map((line) => line.trim()) };
  }
}

const CHECKED = ['package', 'deploy', 'deploy function'];

describe.each(CHECKED)('serverless %s', (command) => {
  it('defaults: nothing wrong → goes on without a warning', () => {
    expect(check(command)).toEqual({ warnings: [] });
  });

  it.each([
    ['otcRegion', 'eu-nl'],
    ['ddsEndpoint', 'https://dds.example.com'],
    ['credentialsSecret', 'team/dds'],
    ['maxRequestAgeHours', 1],
    ['maxRequestAgeHours', '0.5'],
    ['maxRequestAgeHours', 168],
    ['maxRequestAgeHours', '168'],
    ['eventBus', 'aws.partner/example.com/orders'],
    ['eventSource', 'shop.release'],
    ['eventDetailType', 'Migration Planned'],
    ['nightlyInstances', INSTANCE],
    ['nightlyInstances', `${INSTANCE},scratch-1`],
    ['nightlyInstances', 'all'],
    ['nightlyInstances', 'tag:backup=nightly'],
    ['nightlyExcept', INSTANCE],
    ['nightlyExcept', 'scratch-1, scratch-2'],
    ['nightlyNamePrefix', 'n'],
    ['nightlyNamePrefix', 'n'.repeat(30)],
    ['nightlySchedule', 'cron(0 22 ? * MON-FRI *)'],
    ['nightlySchedule', 'rate(1 day)'],
    ['nightlySchedule', 'at(2026-11-20T13:00:00)'],
    ['nightlyTimezone', 'Europe/Berlin'],
    ['webhookRoute', 'on'],
    ['stuckAfterHours', '6'],
    ['stuckAfterHours', '0.5'],
    ['maxBackupAgeHours', 170],
    ['maxBackupAgeOverrides', `${INSTANCE}=off`],
    ['maxBackupAgeOverrides', 'scratch-1=48,scratch-2=off, scratch-3=off'],
    ['backupAgeOf', 'manual'],
    ['reportTime', '00:00'],
    ['reportTime', '23:59'],
    ['retentionMode', 'report'],
    ['retentionInstances', 'all'],
    ['retentionInstances', 'tag:backup=nightly'],
    ['retentionInstances', `${INSTANCE},scratch-1`],
    ['retentionHolds', `${INSTANCE}, scratch-1`],
    ['retentionMaxDeletions', 1],
    ['retentionMaxDeletions', '9999'],
    ['alarmTopicArn', TOPIC],
    ['alarmTopicArn', 'none'],
  ])('%s: %j → accepted', (name, value) => {
    expect(check(command, { [name]: value })).toEqual({ warnings: [] });
  });

  const HOURS = 'a number of hours, more than 0 and less than 10000';
  const AGE = 'a number of hours, more than 0 and at most 168';
  const OVERRIDES = 'a list such as id=48,id=off';
  const TIME = 'a time of day in UTC, such as 06:00';
  const INSTANCES = 'all, tag:key=value, or ids with commas between; to delete it is required';
  const DELETIONS = 'a number from 1 to 9999';
  const PREFIX = '1 to 30 letters, digits, hyphens and underscores, with a letter first';
  const SCHEDULE = 'cron(…) with six fields, rate(…) or at(…) of EventBridge Scheduler, such as cron(30 4 * * ? *)';
  const ZONE = 'the name of an IANA time zone, such as Europe/Berlin';

  it.each([
    ['projectId', 'a project', 'the id of the project on Open Telekom Cloud'],
    ['otcRegion', 'eu-west', 'one of eu-de, eu-nl, eu-ch2, or ddsEndpoint too'],
    ['otcRegion', '', 'one of eu-de, eu-nl, eu-ch2, or ddsEndpoint too'],
    ['ddsEndpoint', 'dds.example.com', 'https://host or https://host:port'],
    [
      'credentialsSecret',
      'arn:aws:secretsmanager:eu-central-1:123456789012:secret:dds-AbCdEf',
      'the name of a secret, not its ARN',
    ],
    ['maxRequestAgeHours', '169', AGE],
    ['maxRequestAgeHours', '168.1', AGE],
    ['maxRequestAgeHours', '86400', AGE],
    ['maxRequestAgeHours', '0', AGE],
    ['maxRequestAgeHours', '-1', AGE],
    ['maxRequestAgeHours', '1e2', AGE],
    ['maxRequestAgeHours', ' 24', AGE],
    ['maxRequestAgeHours', '1 day', AGE],
    ['maxRequestAgeHours', '', AGE],
    ['eventBus', 'arn:aws:events:eu-central-1:123456789012:event-bus/orders', 'the name of an event bus, not its ARN'],
    ['eventSource', '', 'the source of the events that ask for a backup'],
    ['eventDetailType', 'DDS Backup Request Failed', 'a detail-type that does not begin with "DDS Backup "'],
    ['eventDetailType', '', 'a detail-type that does not begin with "DDS Backup "'],
    ['nightlyInstances', 'a"b', 'all, tag:key=value, or ids with commas between'],
    ['nightlyInstances', 'tag:backup', 'all, tag:key=value, or ids with commas between'],
    ['nightlyInstances', 'a,,b', 'all, tag:key=value, or ids with commas between'],
    ['nightlyExcept', 'a;b', 'ids of instances with commas between'],
    ['nightlyExcept', 'tag:backup=never', 'ids of instances with commas between'],
    ['nightlyNamePrefix', '1st', PREFIX],
    ['nightlyNamePrefix', '', PREFIX],
    ['nightlyNamePrefix', 'n'.repeat(31), PREFIX],
    ['nightlySchedule', '0 2 * * *', SCHEDULE],
    ['nightlySchedule', 'cron(0 2 * * *)', SCHEDULE],
    ['nightlySchedule', '', SCHEDULE],
    ['nightlyTimezone', 'Europe/Bonn', ZONE],
    ['nightlyTimezone', 'europe/berlin', ZONE],
    ['nightlyTimezone', '+01:00', ZONE],
    ['nightlyTimezone', '', ZONE],
    ['webhookRoute', 'On', 'on or off'],
    ['webhookRoute', 'true', 'on or off'],
    ['webhookRoute', ' on', 'on or off'],
    ['webhookRoute', '', 'on or off'],
    ['stuckAfterHours', '0', HOURS],
    ['stuckAfterHours', '12h', HOURS],
    ['maxBackupAgeHours', '', HOURS],
    ['maxBackupAgeHours', '-1', HOURS],
    ['maxBackupAgeOverrides', 'scratch-1', OVERRIDES],
    ['maxBackupAgeOverrides', 'scratch-1=off,,scratch-2=off', OVERRIDES],
    ['maxBackupAgeOverrides', 'scratch_1=off', OVERRIDES],
    ['maxBackupAgeOverrides', 'scratch-1=never', OVERRIDES],
    ['backupAgeOf', 'automated', 'any or manual'],
    ['backupAgeOf', '', 'any or manual'],
    ['reportTime', '6:00', TIME],
    ['reportTime', '24:00', TIME],
    ['reportTime', '06:60', TIME],
    ['reportTime', '', TIME],
    ['retentionMode', 'on', 'report or delete'],
    ['retentionMode', '', 'report or delete'],
    ['retentionInstances', 'tag:backup', INSTANCES],
    ['retentionInstances', 'a,,b', INSTANCES],
    ['retentionHolds', 'a;b', 'ids of backups and instances with commas between'],
    ['retentionMaxDeletions', '0', DELETIONS],
    ['retentionMaxDeletions', '', DELETIONS],
    ['alarmTopicArn', 'on-call', 'the ARN of an SNS topic, or none'],
    ['alarmTopicArn', 'None', 'the ARN of an SNS topic, or none'],
  ])('%s: %j → refused, with what to give', (name, value, give) => {
    expect(check(command, { [name]: value }).errors).toEqual([
      `Invalid ${name}: ${JSON.stringify(value)}. Give ${give}.`,
    ]);
  });

  it.each([true, null, undefined])('a switch that YAML makes %j → refused', (webhookRoute) => {
    expect(check(command, { webhookRoute }).errors).toEqual([
      `Invalid webhookRoute: "${webhookRoute ?? ''}". Give on or off.`,
    ]);
  });

  it.each([
    'nightly: keep-within 14d, keep-last 3',
    'nightly: keep-within 14d, keep-last 3; before-migration: keep-within 30d, keep-last 1',
    'nightly: keep-within 3d',
  ])('retention: %s, with a secret → accepted', (retention) => {
    expect(check(command, { retention, retentionSecret: 'dds-retention' })).toEqual({ warnings: [] });
  });

  it.each([
    ['no rule', 'nightly', 24],
    ['an unknown word', 'nightly: keep-all', 24],
    ['a prefix twice', 'nightly: keep-within 14d; nightly: keep-within 30d', 24],
    ['shorter than the maximum age and two days', 'nightly: keep-within 71h', 24],
    ['shorter than a greater maximum age and two days', 'nightly: keep-within 8d', 168],
  ])('retention: %s → refused', (_, retention, maxRequestAgeHours) => {
    expect(check(command, { retention, retentionSecret: 'dds-retention', maxRequestAgeHours }).errors).toEqual([
      `Invalid retention: "${retention}". Give rules such as "nightly: keep-within 14d, keep-last 3", with semicolons between, each for another prefix and for at least two days more than maxRequestAgeHours.`,
    ]);
  });

  it.each(['', 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:dds-AbCdEf'])(
    'retention without the name of a secret: %j → refused',
    (retentionSecret) => {
      expect(check(command, { retention: 'nightly: keep-within 14d', retentionSecret }).errors).toEqual([
        `Invalid retentionSecret: "${retentionSecret}". Give the name of a secret, not its ARN, with an access key that may delete backups.`,
      ]);
    },
  );

  it('retentionMode delete: the instances must be given', () => {
    expect(check(command, { retentionMode: 'delete' }).errors).toEqual([
      `Invalid retentionInstances: "". Give ${INSTANCES}.`,
    ]);
    expect(check(command, { retentionMode: 'delete', retentionInstances: 'all' })).toEqual({ warnings: [] });
  });

  it('alarmEmail: an address, without alarmTopicArn → accepted', () => {
    expect(check(command, { alarmEmail: 'on-call@example.com', alarmTopicArn: '' })).toEqual({ warnings: [] });
  });

  it.each([
    ['no address', 'on-call', ''],
    ['no domain', 'on-call@example', ''],
    ['with a topic', 'on-call@example.com', TOPIC],
    ['with none', 'on-call@example.com', 'none'],
  ])('alarmEmail: %s → refused', (_, alarmEmail, alarmTopicArn) => {
    expect(check(command, { alarmEmail, alarmTopicArn }).errors).toEqual([
      `Invalid alarmEmail: "${alarmEmail}". Give an e-mail address, without alarmTopicArn.`,
    ]);
  });

  it('otcRegion: unknown, with an endpoint → accepted', () => {
    expect(check(command, { otcRegion: 'eu-west', ddsEndpoint: 'https://dds.example.com' })).toEqual({ warnings: [] });
  });

  it.each([
    ['several', 'eu-de:project-1,eu-nl:project-2', {}],
    ['one', 'eu-nl:project-1', {}],
    ['an unknown region, with an endpoint', 'eu-west:project-1', { ddsEndpoint: 'https://dds.example.com' }],
  ])('projects: %s, without projectId → accepted', (_, projects, more) => {
    expect(check(command, { projects, projectId: '', ...more })).toEqual({ warnings: [] });
  });

  it.each([
    ['with projectId', 'eu-de:project-1', 'project-1'],
    ['no region', 'project-1,project-2', ''],
    ['an unknown region', 'eu-west:project-1', ''],
    ['a project twice', 'eu-de:project-1,eu-nl:project-1', ''],
    ['nothing after a comma', 'eu-de:project-1,', ''],
  ])('projects: %s → refused', (_, projects, projectId) => {
    expect(check(command, { projects, projectId }).errors).toEqual([
      `Invalid projects: "${projects}". Give a list such as eu-de:project_id,eu-nl:project_id, without projectId; regions are eu-de, eu-nl, eu-ch2, or any with ddsEndpoint.`,
    ]);
  });

  it('a parameter that the service does not have → refused, with those that it has', () => {
    expect(check(command, {}, ['projectId=a-project', 'maxBackupAge=20']).errors).toEqual([
      'Unknown parameter: maxBackupAge. Give one of projectId, maxBackupAgeHours.',
    ]);
    expect(check(command, {}, ['projectId=a=b', 'maxBackupAgeHours=20'])).toEqual({ warnings: [] });
  });
});

describe.each(CHECKED)('serverless %s: the change of clocks', (command) => {
  const nightly = { nightlyInstances: INSTANCE, nightlyTimezone: 'Europe/Berlin' };

  it('skips a run → one line of warning', () => {
    expect(check(command, { ...nightly, nightlySchedule: 'cron(30 2 * * ? *)' })).toEqual({
      warnings: [
        'nightlySchedule cron(30 2 * * ? *): the clocks of Europe/Berlin skip 2026-03-29 02:30, so Scheduler makes no run then. Give another time of day, or nightlyTimezone=UTC.',
      ],
    });
  });

  it.each([
    ['skips no run', nightly],
    [
      'would skip a run of a schedule that is not created',
      { ...nightly, nightlySchedule: 'cron(30 2 * * ? *)', nightlyInstances: '' },
    ],
  ])('%s → no warning', (_, parameters) => {
    expect(check(command, parameters)).toEqual({ warnings: [] });
  });
});

describe.each(['deploy', 'deploy function'])('serverless %s', (command) => {
  it('several parameters missing or wrong → all of them, each on a line', () => {
    const parameters = { projectId: '', alarmTopicArn: '', webhookRoute: 'yes' };
    expect(check(command, parameters)).toEqual({
      warnings: [],
      heading: 'Set parameters with --param "<name>=<value>":',
      errors: [
        'Invalid webhookRoute: "yes". Give on or off.',
        'Invalid projectId: "". Give the id of the project on Open Telekom Cloud, or projects with several.',
        'Invalid alarmEmail: "". Give an e-mail address for alarms, or alarmTopicArn with the ARN of an SNS topic, or alarmTopicArn=none.',
      ],
    });
  });
});

describe('serverless package', () => {
  it('without what only a deployment needs → goes on', () => {
    expect(check('package', { projectId: '', alarmTopicArn: '' })).toEqual({ warnings: [] });
  });
});

describe.each(['deploy list', 'offline', 'invoke local', 'remove', 'info'])('serverless %s', (command) => {
  it('parameters that are wrong → goes on', () => {
    expect(check(command, { projectId: '', webhookRoute: 'yes' }, ['unknown=1'])).toEqual({ warnings: [] });
  });
});
