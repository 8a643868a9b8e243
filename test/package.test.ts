/** What a deployment would create, read from the CloudFormation template and the zips that packaging writes. */
import { readdir, readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { holds, type Package, packageService, type Resource, references, statements } from './cloudformation.ts';
import { serverless, temporaryService } from './serverless.ts';

const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';
const LAYER = 'arn:aws:lambda:eu-central-1:111122223333:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:7';
const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:on-call';
const GIVEN = [
  `secretsExtensionLayer=${LAYER}`,
  `nightlyInstanceId=${INSTANCE}`,
  `alarmTopicArn=${TOPIC}`,
  'projectId=0549b4a43100d4f32f51c01c2fe4acdb',
  'ddsEndpoint=https://dds.example.com',
  'credentialsSecret=team/dds',
  'eventBus=orders',
  'eventSource=shop.release',
  'eventDetailType=Migration Announced',
  'logRetentionInDays=30',
];
/** A shell in which a deployment must not find anything. */
const SHELL = Object.fromEntries(
  ['HTTP_AUTH', 'OTC_SDK_AK', 'OTC_SDK_SK', 'OTC_SDK_PROJECT_ID', 'WEBHOOK_SECRET', 'DDS_ENDPOINT'].map((name) => [
    name,
    'from-the-shell',
  ]),
);

/** Packaged without a single parameter. */
let plain: Package;
/** Packaged for the stage prod with all parameters that change what is created. */
let given: Package;

beforeAll(async () => {
  const parameters = GIVEN.flatMap((parameter) => ['--param', parameter]);
  [plain, given] = await Promise.all([
    packageService([], SHELL),
    packageService(['--stage', 'prod', ...parameters], SHELL),
  ]);
}, 60_000);

const resource = (id: string, { template } = plain): Resource => {
  const found = template.Resources[id];
  if (found === undefined) throw new Error(`the template has no ${id}`);
  return found;
};
const properties = (id: string, from = plain) => resource(id, from).Properties;
const ofType = (type: string, { template } = plain): Record<string, Resource> =>
  Object.fromEntries(Object.entries(template.Resources).filter(([, { Type }]) => Type === type));
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

const FUNCTIONS = [
  { name: 'http', id: 'Http', role: 'HttpRole', timeout: 29 },
  { name: 'event-bus', id: 'EventDashbus', role: 'EventBusRole', timeout: 60 },
  { name: 'invoke', id: 'Invoke', role: 'InvokeRole', timeout: 60 },
] as const;

describe('packaging', () => {
  it('needs no account and no parameters, and has nothing to warn of', () => {
    expect(plain.said).toContain('Service packaged');
    expect(plain.said).not.toMatch(/warn|deprecat/i);
  });

  it('writes a template in which every reference leads to a resource that is there whenever its user is', () => {
    const { Resources, Conditions } = plain.template;
    for (const [id, user] of Object.entries(Resources)) {
      for (const name of references(user).filter((name) => !name.startsWith('AWS::'))) {
        expect(Resources, id).toHaveProperty(name);
        const { Condition } = resource(name);
        if (Condition !== undefined) expect(user.Condition, `${id}, which refers to ${name}`).toBe(Condition);
      }
      if (user.Condition !== undefined) expect(Conditions).toHaveProperty(user.Condition);
    }
  });

  it('takes nothing from the shell that deploys', async () => {
    expect(plain.text).not.toContain('from-the-shell');
    expect(given.text).not.toContain('from-the-shell');
    const files = (await readdir('deployment')).map((file) => `deployment/${file}`);
    for (const file of ['serverless.yml', ...files]) {
      const text = await readFile(file, 'utf8');
      expect(text, file).not.toContain('${env:');
      expect(text, file).not.toContain('HTTP_AUTH');
    }
  });

  it('knows nothing of the emulator', () => {
    expect(plain.text).not.toMatch(/emulator|127\.0\.0\.1|localhost/i);
  });

  it.each(FUNCTIONS)('puts the bundle of $name into its zip and nothing else', async ({ name }) => {
    const path = `dist/${name}.mjs`;
    expect(plain.zips[`${name}.zip`]).toEqual([{ path, crc32: crc32(await readFile(path)) }]);
    expect(Object.keys(plain.zips)).toHaveLength(FUNCTIONS.length);
  });
});

describe('deploying', { timeout: 30_000 }, () => {
  it('stops at once and names what it needs when the required parameters are missing', async () => {
    const { code, output } = await serverless(['deploy']);
    expect(code).toBe(1);
    expect(output).toContain('projectId');
    expect(output).toContain('secretsExtensionLayer');
    expect(output, 'a stack trace').not.toMatch(/^ +at /m);
  });

  it('goes on, as far as the missing account, when they are given', async () => {
    const required = GIVEN.filter((parameter) => /^(projectId|secretsExtensionLayer)=/.test(parameter));
    await using service = await temporaryService();
    const { code, output } = await serverless(['deploy', ...required.flatMap((p) => ['--param', p])], {
      cwd: service.folder,
      env: { AWS_EC2_METADATA_DISABLED: 'true' },
    });
    expect(code).toBe(1);
    expect(output).toContain('AWS provider credentials not found');
  });
});

describe.each(FUNCTIONS)('the function $name', ({ name, id, role, timeout }) => {
  it('runs its bundle on Node 24, arm64, with the memory and the time-out of the design', () => {
    expect(properties(`${id}LambdaFunction`)).toMatchObject({
      FunctionName: `dds-backup-trigger-dev-${name}`,
      Handler: `dist/${name}.handler`,
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

describe('rights', () => {
  const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
  const secret = (name: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????`,
  });
  const allow = (Action: string[], ...Resource: unknown[]) => ({ Effect: 'Allow', Action, Resource });
  const assume = allow(['sts:AssumeRole']);
  const giveUp = allow(['sqs:SendMessage'], arn('GivenUpQueue'));
  const read = allow(['secretsmanager:GetSecretValue'], secret('dds-backup-trigger'));

  it.each([
    { role: 'HttpRole', may: [allow(LOGS, arn('HttpLogGroup')), read] },
    { role: 'EventBusRole', may: [allow(LOGS, arn('EventDashbusLogGroup')), read, giveUp] },
    { role: 'InvokeRole', may: [allow(LOGS, arn('InvokeLogGroup')), read, giveUp] },
    {
      role: 'NightlyRole',
      may: [
        allow(['lambda:InvokeFunction'], arn('InvokeLambdaFunction')),
        allow(['sqs:SendMessage'], arn('UndeliveredQueue')),
      ],
    },
  ])('$role may do what its function does and nothing else', ({ role, may }) => {
    expect(statements(properties(role))).toEqual([assume, ...may]);
    expect(properties(role)).not.toHaveProperty('ManagedPolicyArns');
  });

  it('belong to four roles, none of them made by the framework', () => {
    expect(Object.keys(ofType('AWS::IAM::Role')).sort()).toEqual([
      'EventBusRole',
      'HttpRole',
      'InvokeRole',
      'NightlyRole',
    ]);
  });

  it('reach the secret that the parameter names', () => {
    for (const { role } of FUNCTIONS) {
      const reads = statements(properties(role, given)).filter(({ Action }) => String(Action).startsWith('secrets'));
      expect(reads).toEqual([allow(['secretsmanager:GetSecretValue'], secret('team/dds'))]);
    }
  });

  it('hold no wildcard, save for the six characters that Secrets Manager puts behind every name', () => {
    const allowed = statements(plain.template).filter(({ Effect }) => Effect === 'Allow');
    const patterns = allowed.flatMap(({ Action, Resource }) => [...Action, ...Resource]);
    const wild = patterns.filter((pattern) => /[*?]/.test(JSON.stringify(pattern)));
    expect(wild).toEqual(FUNCTIONS.map(() => secret('dds-backup-trigger')));
    expect(plain.text).not.toMatch(/"Not(Action|Resource|Principal)"/);
  });

  it('to call a function belong to the API and to the rule alone', () => {
    const permissions = Object.values(ofType('AWS::Lambda::Permission')).map(({ Properties }) => Properties);
    expect(permissions).toEqual([
      {
        FunctionName: arn('HttpLambdaFunction'),
        Action: 'lambda:InvokeFunction',
        Principal: 'apigateway.amazonaws.com',
        // The framework's own: all routes of this API and no other.
        SourceArn: {
          'Fn::Join': [
            '',
            [
              'arn:',
              { Ref: 'AWS::Partition' },
              ':execute-api:',
              { Ref: 'AWS::Region' },
              ':',
              { Ref: 'AWS::AccountId' },
              ':',
              { Ref: 'HttpApi' },
              '/*',
            ],
          ],
        },
      },
      {
        FunctionName: arn('EventDashbusLambdaFunction'),
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: arn('BackupRequestedRule'),
      },
    ]);
  });
});

describe('the HTTP route', () => {
  it('is POST /backups, behind IAM, and the only one', () => {
    const routes = Object.values(ofType('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties);
    expect(routes).toEqual([
      {
        ApiId: { Ref: 'HttpApi' },
        RouteKey: 'POST /backups',
        AuthorizationType: 'AWS_IAM',
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'HttpApiIntegrationHttp' }]] },
      },
    ]);
    expect(properties('HttpApiIntegrationHttp')).toMatchObject({
      IntegrationUri: arn('HttpLambdaFunction'),
      PayloadFormatVersion: '2.0',
    });
    expect(ofType('AWS::Lambda::Url')).toEqual({});
  });

  it('is throttled, so that a caller gone wild does not use up what DDS allows the project', () => {
    expect(properties('HttpApiStage').DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 10,
      ThrottlingBurstLimit: 20,
    });
  });
});

describe('the event-bus rule', () => {
  const target = {
    Id: 'event-bus',
    Arn: arn('EventDashbusLambdaFunction'),
    RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
    DeadLetterConfig: { Arn: arn('UndeliveredQueue') },
  };

  it('sends requested backups on the default bus to the function', () => {
    expect(properties('BackupRequestedRule')).toMatchObject({
      EventBusName: 'default',
      EventPattern: { source: ['dds-backup-trigger'], 'detail-type': ['Backup Requested'] },
      Targets: [target],
    });
  });

  it('takes bus, source and detail-type from the parameters, and makes no bus', () => {
    expect(properties('BackupRequestedRule', given)).toMatchObject({
      EventBusName: 'orders',
      EventPattern: { source: ['shop.release'], 'detail-type': ['Migration Announced'] },
      Targets: [target],
    });
    expect(ofType('AWS::Events::EventBus', given)).toEqual({});
  });
});

describe('the nightly schedule', () => {
  it('does not exist unless an instance is given', () => {
    const nightly = ['NightlyGroup', 'NightlySchedule', 'NightlyRole', 'NightlyLost'];
    for (const id of nightly) expect(resource(id).Condition, id).toBe('Nightly');
    expect(holds(plain.template, 'Nightly')).toBe(false);
    expect(holds(given.template, 'Nightly')).toBe(true);
  });

  it('calls invoke at night with the id and the time of the run and a name prefix', () => {
    const { Target, ...schedule } = properties('NightlySchedule', given);
    expect(schedule).toMatchObject({
      GroupName: { Ref: 'NightlyGroup' },
      ScheduleExpression: 'cron(0 2 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
    expect(schedule).not.toHaveProperty('State');
    expect(Target).toMatchObject({
      Arn: arn('InvokeLambdaFunction'),
      RoleArn: arn('NightlyRole'),
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
      DeadLetterConfig: { Arn: arn('UndeliveredQueue') },
      Input: expect.toSatisfy((input: string) => {
        expect(JSON.parse(input)).toEqual({
          id: '<aws.scheduler.execution-id>',
          time: '<aws.scheduler.scheduled-time>',
          backup: { instance_id: INSTANCE, name_prefix: 'nightly' },
        });
        return true;
      }),
    });
  });

  it('has a role that only this account and this schedule group can make the scheduler take', () => {
    expect(properties('NightlyRole').AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': arn('NightlyGroup') },
          },
        },
      ],
    });
  });
});

describe('what fails', () => {
  it('is kept for 14 days and encrypted, whichever queue it ends in', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(Object.keys(queues)).toEqual(['GivenUpQueue', 'UndeliveredQueue']);
    for (const { Properties } of Object.values(queues)) {
      expect(Properties).toMatchObject({ MessageRetentionPeriod: 14 * 24 * 60 * 60, SqsManagedSseEnabled: true });
    }
  });

  it.each(['EventDashbus', 'Invoke'])('of %s is tried three times within the hour, then kept with its error', (id) => {
    expect(properties(`${id}LambdaEvConf`)).toMatchObject({
      FunctionName: { Ref: `${id}LambdaFunction` },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 3600,
      DestinationConfig: { OnFailure: { Destination: arn('GivenUpQueue') } },
    });
    expect(properties(`${id}LambdaFunction`)).not.toHaveProperty('DeadLetterConfig');
  });

  it('on the bus may be written to its queue by this rule and by no other', () => {
    const policies = Object.values(ofType('AWS::SQS::QueuePolicy')).map(({ Properties }) => Properties);
    expect(policies).toEqual([
      {
        Queues: [{ Ref: 'UndeliveredQueue' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: arn('UndeliveredQueue'),
              Condition: { ArnEquals: { 'aws:SourceArn': arn('BackupRequestedRule') } },
            },
          ],
        },
      },
    ]);
  });
});

describe('alarms', () => {
  const byFunction = (id: string) => [{ Name: 'FunctionName', Value: { Ref: `${id}LambdaFunction` } }];
  const byQueue = (id: string) => [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } }];
  const errors = { Namespace: 'AWS/Lambda', MetricName: 'Errors', Statistic: 'Sum' };
  const lost = { Namespace: 'AWS/Lambda', MetricName: 'DestinationDeliveryFailures', Statistic: 'Sum' };
  const waiting = { Namespace: 'AWS/SQS', MetricName: 'ApproximateNumberOfMessagesVisible', Statistic: 'Maximum' };
  const expected: Record<string, object> = {
    HttpErrors: { ...errors, Dimensions: byFunction('Http') },
    EventBusErrors: { ...errors, Dimensions: byFunction('EventDashbus') },
    InvokeErrors: { ...errors, Dimensions: byFunction('Invoke') },
    BackupFailed: {
      Namespace: 'DdsBackupTrigger/dev',
      MetricName: 'Outcomes',
      Statistic: 'Sum',
      Dimensions: [{ Name: 'Event', Value: 'backup.failed' }],
    },
    GivenUp: { ...waiting, Dimensions: byQueue('GivenUpQueue') },
    Undelivered: { ...waiting, Dimensions: byQueue('UndeliveredQueue') },
    EventBusLost: { ...lost, Dimensions: byFunction('EventDashbus') },
    InvokeLost: { ...lost, Dimensions: byFunction('Invoke') },
    RuleLost: { Namespace: 'AWS/Events', MetricName: 'InvocationsFailedToBeSentToDlq', Statistic: 'Sum' },
    NightlyLost: {
      Namespace: 'AWS/Scheduler',
      MetricName: 'InvocationsFailedToBeSentToDeadLetterCount',
      Statistic: 'Sum',
      Dimensions: [{ Name: 'ScheduleGroup', Value: { Ref: 'NightlyGroup' } }],
    },
  };

  it.each(Object.entries(expected))('%s goes off at the first occurrence', (id, metric) => {
    expect(properties(id)).toMatchObject({
      ...metric,
      Period: 300,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      TreatMissingData: 'notBreaching',
    });
  });

  it('are these and no others, and each says what it means', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(Object.keys(alarms).sort()).toEqual(Object.keys(expected).sort());
    const descriptions = Object.values(alarms).map(({ Properties }) => Properties.AlarmDescription);
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  it('go to the topic of the parameter, and nowhere without it', () => {
    const { Resources } = given.template;
    for (const id of Object.keys(expected)) {
      const AlarmActions = { 'Fn::If': ['AlarmTopic', [TOPIC], { Ref: 'AWS::NoValue' }] };
      expect(Resources[id]?.Properties, id).toMatchObject({ AlarmActions });
    }
    expect(holds(given.template, 'AlarmTopic')).toBe(true);
    expect(holds(plain.template, 'AlarmTopic')).toBe(false);
  });

  it('watch the rule as EventBridge counts it: by rule on the default bus, by bus and rule on another', () => {
    const rule = (stage: string) => ({ Name: 'RuleName', Value: `dds-backup-trigger-${stage}-event-bus` });
    const bus = (name: string) => ({ Name: 'EventBusName', Value: name });
    const either = (stage: string, name: string) => ({
      'Fn::If': ['OnDefaultBus', [rule(stage)], [bus(name), rule(stage)]],
    });
    expect(properties('RuleLost').Dimensions).toEqual(either('dev', 'default'));
    expect(properties('RuleLost', given).Dimensions).toEqual(either('prod', 'orders'));
    expect(holds(plain.template, 'OnDefaultBus')).toBe(true);
    expect(holds(given.template, 'OnDefaultBus')).toBe(false);
    expect(properties('BackupRequestedRule').Name).toBe(rule('dev').Value);
  });

  it.each(FUNCTIONS)('count the outcomes that $name logs, each stage apart', ({ id }) => {
    const counted = (stage: string) => ({
      LogGroupName: { Ref: `${id}LogGroup` },
      FilterPattern: '{ $.message.event = "backup.*" }',
      MetricTransformations: [
        {
          MetricNamespace: `DdsBackupTrigger/${stage}`,
          MetricName: 'Outcomes',
          MetricValue: '1',
          Unit: 'Count',
          Dimensions: [{ Key: 'Event', Value: '$.message.event' }],
        },
      ],
    });
    const filters = (from: Package) =>
      Object.values(ofType('AWS::Logs::MetricFilter', from)).map(({ Properties }) => Properties);
    expect(filters(plain)).toContainEqual(counted('dev'));
    expect(filters(given)).toContainEqual(counted('prod'));
    expect(filters(plain)).toHaveLength(FUNCTIONS.length);
  });
});

describe('outputs', () => {
  it('tell what other functions call, where requests go and where failed events wait', () => {
    const { Outputs } = plain.template;
    expect(Outputs.InvokeFunctionArn?.Value).toEqual(arn('InvokeLambdaFunction'));
    expect(Outputs.GivenUpQueueUrl?.Value).toEqual({ Ref: 'GivenUpQueue' });
    expect(Outputs.UndeliveredQueueUrl?.Value).toEqual({ Ref: 'UndeliveredQueue' });
    expect(Outputs).toHaveProperty('HttpApiUrl');
  });
});
