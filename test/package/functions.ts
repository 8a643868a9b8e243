import { describe, expect, it } from 'vitest';
import { readConfig, readMonitorConfig, readNightlyConfig, readRetentionConfig } from '../../lib/service/config.ts';
import { holds } from '../cloudformation.ts';
import { arn, FUNCTIONS, type FunctionName, given, mailed, plain, properties, resource, TOPIC } from './packaged.ts';

/** The variables of one function only: by default, and with all parameters. */
const OWN: Partial<Record<FunctionName, { readonly plain: object; readonly given: object }>> = {
  http: {
    plain: { DEFERRED_FUNCTION: { Ref: 'DeferredDurableLambdaAlias' } },
    given: { DEFERRED_FUNCTION: { Ref: 'DeferredDurableLambdaAlias' } },
  },
  deferred: {
    plain: { EVENT_BUS: 'default' },
    given: { EVENT_BUS: 'orders' },
  },
  monitor: {
    plain: {
      EVENT_BUS: 'default',
      STUCK_AFTER_HOURS: '12',
      MAX_BACKUP_AGE_HOURS: '26',
      BACKUP_AGE_OF: 'any',
      REPORT_TIME: '06:00',
    },
    given: {
      EVENT_BUS: 'orders',
      STUCK_AFTER_HOURS: '6',
      MAX_BACKUP_AGE_HOURS: '50',
      MAX_BACKUP_AGE_OVERRIDES: 'scratch-1=48,scratch-2=off',
      BACKUP_AGE_OF: 'manual',
      REPORT_TIME: '05:15',
      ALARM_TOPIC_ARN: TOPIC,
    },
  },
  nightly: {
    plain: { NIGHTLY_NAME_PREFIX: 'nightly', INVOKE_FUNCTION: arn('InvokeLambdaFunction') },
    given: {
      NIGHTLY_INSTANCES: 'tag:backup=nightly',
      NIGHTLY_EXCEPT: 'scratch-1,scratch-2',
      NIGHTLY_NAME_PREFIX: 'night',
      INVOKE_FUNCTION: arn('InvokeLambdaFunction'),
    },
  },
  retention: {
    plain: {
      OTC_CREDENTIALS_SECRET: undefined,
      EVENT_BUS: 'default',
      RETENTION_MODE: 'report',
      RETENTION_MAX_DELETIONS: '5',
    },
    given: {
      OTC_CREDENTIALS_SECRET: 'team/dds-retention',
      EVENT_BUS: 'orders',
      RETENTION: 'nightly: keep-within 14d, keep-last 3; before-migration: keep-within 30d, keep-last 1',
      RETENTION_MODE: 'delete',
      RETENTION_INSTANCES: 'tag:backup=nightly',
      RETENTION_HOLDS: 'hold-1,hold-2',
      RETENTION_MAX_DELETIONS: '9',
    },
  },
};

describe.each(FUNCTIONS)('function $name', ({ name, id, role, timeout, bundle }) => {
  it('runtime: Node 24 on arm64, with its bundle, its time-out and its role', () => {
    expect(properties(`${id}LambdaFunction`)).toMatchObject({
      FunctionName: `dds-backup-trigger-dev-${name}`,
      Handler: `dist/${bundle}.handler`,
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 256,
      Timeout: timeout,
      Role: arn(role),
    });
  });

  it('environment: by default → the name of a secret, no secret', () => {
    expect(properties(`${id}LambdaFunction`).Environment).toEqual({
      Variables: {
        MAX_REQUEST_AGE_HOURS: '24',
        OTC_CREDENTIALS_SECRET: 'dds-backup-trigger',
        OTC_SDK_REGION: 'eu-de',
        STAGE: 'dev',
        ...OWN[name]?.plain,
      },
    });
  });

  it('environment: with parameters → theirs', () => {
    expect(properties(`${id}LambdaFunction`, given).Environment).toEqual({
      Variables: {
        DDS_ENDPOINT: 'https://dds.example.com',
        MAX_REQUEST_AGE_HOURS: '168',
        OTC_CREDENTIALS_SECRET: 'team/dds',
        OTC_SDK_PROJECT_ID: '0549b4a43100d4f32f51c01c2fe4acdb',
        OTC_SDK_REGION: 'eu-de',
        STAGE: 'prod',
        ...OWN[name]?.given,
      },
    });
  });

  it('environment: with parameters → its own readers take it', () => {
    const { Environment } = properties(`${id}LambdaFunction`, given);
    const { Variables } = Environment as { Variables: Record<string, unknown> };
    const env = Object.fromEntries(Object.entries(Variables).map(([key, value]) => [key, String(value)]));
    expect(() => readConfig(env)).not.toThrow();
    if (name === 'monitor') expect(() => readMonitorConfig(env)).not.toThrow();
    if (name === 'nightly') expect(readNightlyConfig(env)).toMatchObject({ namePrefix: 'night' });
    if (name === 'retention') expect(readRetentionConfig(env)).toMatchObject({ mode: 'delete' });
  });

  it('log: JSON, kept for 90 days or as long as the parameter says', () => {
    expect(properties(`${id}LambdaFunction`).LoggingConfig).toEqual({
      LogFormat: 'JSON',
      ApplicationLogLevel: 'INFO',
      SystemLogLevel: 'INFO',
    });
    const LogGroupName = `/aws/lambda/dds-backup-trigger-dev-${name}`;
    expect(properties(`${id}LogGroup`)).toEqual({ LogGroupName, RetentionInDays: 90 });
    expect(properties(`${id}LogGroup`, given).RetentionInDays).toBe(30);
  });
});

describe('function monitor: the topic for its report', () => {
  it('alarmEmail → the topic that is created', () => {
    expect(properties('MonitorLambdaFunction', mailed).Environment).toMatchObject({
      Variables: { ALARM_TOPIC_ARN: { Ref: 'AlarmTopic' } },
    });
  });
});

describe.each(['Nightly', 'Retention'])('function %s', (id) => {
  it('its parameter: missing → no function, no log group', () => {
    for (const part of ['LambdaFunction', 'LogGroup', 'LambdaEvConf', 'Role'])
      expect(resource(`${id}${part}`).Condition, part).toBe(id);
    expect(holds(plain.template, id)).toBe(false);
    expect(holds(given.template, id)).toBe(true);
  });
});

describe('several projects', () => {
  it.each(FUNCTIONS)('$name: projects in place of projectId → its reader finds them', ({ id }) => {
    const { Environment } = properties(`${id}LambdaFunction`, mailed);
    const { Variables } = Environment as { Variables: Record<string, unknown> };
    expect(Variables).not.toHaveProperty('OTC_SDK_PROJECT_ID');
    const { OTC_SDK_PROJECTS = '' } = Variables;
    expect(readConfig({ OTC_SDK_PROJECTS: String(OTC_SDK_PROJECTS), OTC_CREDENTIALS_SECRET: 'any' })).toMatchObject({
      projects: [
        { region: 'eu-de', id: 'project-1' },
        { region: 'eu-nl', id: 'project-2' },
      ],
    });
  });
});
