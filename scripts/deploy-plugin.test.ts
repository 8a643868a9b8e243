import { describe, expect, it } from 'vitest';
import DeployPlugin from './deploy-plugin.ts';

const LAYER = 'arn:aws:lambda:eu-central-1:111122223333:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:7';

interface Parameters {
  projectId?: unknown;
  layer?: unknown;
  webhookRoute?: unknown;
  /** Of the functions. */
  environment?: Record<string, unknown>;
  /** As they are given, `name=value`. */
  param?: string[];
  [other: string]: unknown;
}

const DEFAULTS = {
  alarmTopicArn: '',
  credentialsSecret: 'dds-backup-trigger',
  deferredPatienceSeconds: 86_400,
  eventBus: 'default',
  eventDetailType: 'Backup Requested',
  freshnessHours: 26,
  freshnessIgnores: '',
  nightlyInstanceId: '',
  nightlyNamePrefix: 'nightly',
  stuckAfterHours: 12,
};

/** What the plugin says to a command; nothing when it lets it go on. */
function refusal(
  command: string,
  { projectId = 'a-project', layer = LAYER, webhookRoute = 'off', environment, param, ...others }: Parameters = {},
) {
  const plugin = new DeployPlugin({
    classes: { Error },
    processedInput: { commands: command.split(' '), options: { ...(param && { param }) } },
    configurationInput: { params: { default: { projectId: null, freshnessHours: 26 } } },
    service: {
      provider: {
        environment: { OTC_CREDENTIALS_SECRET: 'dds', OTC_SDK_PROJECT_ID: projectId, ...environment },
        layers: [layer],
      },
      custom: { webhookRoute, ...DEFAULTS, ...others },
    },
  });
  try {
    plugin.hooks.initialize();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(['package', 'deploy', 'deploy function'])('serverless %s', (command) => {
  it.each(['on', 'off'])('lets the webhook route be %s', (webhookRoute) => {
    expect(refusal(command, { webhookRoute })).toBeUndefined();
  });

  it.each(['On', 'true', 'yes', '', ' on', true, null])('refuses %j as its switch, and says why', (webhookRoute) => {
    expect(refusal(command, { webhookRoute })).toContain(
      `webhookRoute: on or off, not ${JSON.stringify(webhookRoute)}`,
    );
  });

  it.each([1, '1', 86_400, '604800'])('lets the patience be %j seconds', (deferredPatienceSeconds) => {
    expect(refusal(command, { deferredPatienceSeconds })).toBeUndefined();
  });

  it.each([604_801, '604801', 0, -1, '1.5', '1e3', ' 60', '1 day', '', null])(
    'refuses %j as one: it would outlast its execution, or is none',
    (deferredPatienceSeconds) => {
      expect(refusal(command, { deferredPatienceSeconds })).toContain(
        `deferredPatienceSeconds: a whole number up to 604800, not ${JSON.stringify(deferredPatienceSeconds)}`,
      );
    },
  );
});

describe.each(['package', 'deploy', 'deploy function'])('serverless %s', (command) => {
  it.each([
    ['stuckAfterHours', '6'],
    ['stuckAfterHours', '0.5'],
    ['freshnessHours', 170],
    ['freshnessIgnores', 'a89dab5e39394eccbdb77b19d57b0180in02'],
    ['freshnessIgnores', 'scratch-1,scratch-2, scratch-3'],
    ['alarmTopicArn', 'arn:aws:sns:eu-central-1:123456789012:on-call'],
    ['credentialsSecret', 'team/dds'],
    ['eventBus', 'aws.partner/example.com/orders'],
    ['nightlyInstanceId', 'a89dab5e39394eccbdb77b19d57b0180in02'],
  ])('takes %s=%s', (name, value) => {
    expect(refusal(command, { [name]: value })).toBeUndefined();
  });

  it.each([
    ['stuckAfterHours', '0'],
    ['stuckAfterHours', '12h'],
    ['freshnessHours', ''],
    ['freshnessHours', '-1'],
    ['freshnessIgnores', 'scratch 1'],
    ['freshnessIgnores', 'scratch-1,,scratch-2'],
    ['freshnessIgnores', 'scratch_1'],
    ['alarmTopicArn', 'on-call'],
    ['credentialsSecret', 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:dds-AbCdEf'],
    ['eventBus', 'arn:aws:events:eu-central-1:123456789012:event-bus/orders'],
    ['eventDetailType', 'DDS Backup Refused'],
    ['nightlyInstanceId', 'a"b'],
    ['nightlyNamePrefix', '1st'],
  ])('refuses %s=%s, and says why', (name, value) => {
    expect(refusal(command, { [name]: value })).toContain(`  ${name}: `);
  });
});

describe.each(['package', 'deploy', 'deploy function'])('serverless %s', (command) => {
  it('refuses a parameter that nobody knows: it would set nothing', () => {
    expect(refusal(command, { param: ['projectId=a-project', 'freshnesHours=20'] })).toContain(
      '  freshnesHours: no parameter has this name',
    );
    expect(refusal(command, { param: ['projectId=a=b', 'freshnessHours=20'] })).toBeUndefined();
  });

  it.each([
    ['OTC_SDK_REGION', 'eu-west'],
    ['DDS_ENDPOINT', 'dds.example.com'],
    ['OTC_SDK_PROJECT_ID', 'a project'],
  ])('refuses what the functions would refuse: %s=%s', (name, value) => {
    expect(refusal(command, { environment: { [name]: value } })).toContain(name);
  });
});

describe.each(['deploy', 'deploy function'])('serverless %s', (command) => {
  it('names all that is missing at once', () => {
    const said = refusal(command, { projectId: null, layer: 'arn:aws:lambda:<region>', webhookRoute: 'yes' });
    for (const name of ['projectId', 'secretsExtensionLayer', 'webhookRoute']) expect(said).toContain(`  ${name}: `);
  });
});

describe('serverless package', () => {
  it('asks for nothing that only a deployment needs', () => {
    expect(refusal('package', { projectId: null, layer: null })).toBeUndefined();
  });
});

describe.each(['deploy list', 'offline', 'invoke local', 'remove', 'info'])('serverless %s', (command) => {
  it('asks for nothing at all', () => {
    expect(refusal(command, { projectId: null, layer: null, webhookRoute: 'yes' })).toBeUndefined();
  });
});
