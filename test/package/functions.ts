import { describe, expect, it } from 'vitest';
import { arn, FUNCTIONS, type FunctionName, given, LAYER, properties } from './packaged.ts';

/** What one function is told beside what all are told: by default, and by the parameters. */
const OWN: Partial<Record<FunctionName, { readonly plain: object; readonly given: object }>> = {
  deferred: {
    plain: { EVENT_BUS: 'default', DEFERRED_PATIENCE_SECONDS: '86400' },
    given: { EVENT_BUS: 'orders', DEFERRED_PATIENCE_SECONDS: '7200' },
  },
  watch: {
    plain: { EVENT_BUS: 'default', STUCK_AFTER_HOURS: '12' },
    given: { EVENT_BUS: 'orders', STUCK_AFTER_HOURS: '6', FRESHNESS_IGNORES: 'scratch-1,scratch-2' },
  },
};

describe.each(FUNCTIONS)('the function $name', ({ name, id, role, timeout, bundle }) => {
  it('runs its bundle on Node 24, arm64, with the memory and the time-out of the design', () => {
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

  it('has no secret in its environment, only the name of one', () => {
    expect(properties(`${id}LambdaFunction`).Environment).toEqual({
      Variables: {
        OTC_CREDENTIALS_SECRET: 'dds-backup-trigger',
        OTC_SDK_REGION: 'eu-de',
        PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED: 'false',
        PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL: 'WARN',
        ...OWN[name]?.plain,
      },
    });
  });

  it('is told project, endpoint and secret by the parameters, and has the layer that reads the secret', () => {
    const { Environment, Layers } = properties(`${id}LambdaFunction`, given);
    expect(Environment).toEqual({
      Variables: {
        DDS_ENDPOINT: 'https://dds.example.com',
        OTC_CREDENTIALS_SECRET: 'team/dds',
        OTC_SDK_PROJECT_ID: '0549b4a43100d4f32f51c01c2fe4acdb',
        OTC_SDK_REGION: 'eu-de',
        PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED: 'false',
        PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL: 'WARN',
        ...OWN[name]?.given,
      },
    });
    expect(Layers).toEqual([LAYER]);
  });

  it('logs JSON, kept for 90 days or as long as the parameter says', () => {
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
