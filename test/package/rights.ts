import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EVENT_SOURCE } from '../../lib/service/ports.ts';
import { statements } from '../cloudformation.ts';
import { arn, created, FUNCTIONS, given, mailed, ofType, plain, properties, TOPIC } from './packaged.ts';

describe('permissions', () => {
  const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
  const secret = (name: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????`,
  });
  const allow = (Action: string[], ...Resource: unknown[]) => ({ Effect: 'Allow', Action, Resource });
  const assume = allow(['sts:AssumeRole']);
  const assumeFor = (group: string) => ({
    ...assume,
    Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': arn(group) } },
  });
  const defer = allow(['lambda:InvokeFunction'], { Ref: 'DeferredDurableLambdaAlias' });
  const inThisRegion = (service: string, rest: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`,
  });
  const executions = (stage: string) =>
    inThisRegion('lambda', `function:dds-backup-trigger-${stage}-deferred:*/durable-execution/*/*`);
  const bus = (name: string) => inThisRegion('events', `event-bus/${name}`);
  const publish = (name: string) => ({
    ...allow(['events:PutEvents'], bus(name)),
    Condition: { 'ForAllValues:StringEquals': { 'events:source': EVENT_SOURCE } },
  });
  const read = allow(['secretsmanager:GetSecretValue'], secret('dds-backup-trigger'));
  const notify = (topic: unknown) => allow(['sns:Publish'], topic);

  it.each([
    { role: 'HttpRole', may: [assume, allow(LOGS, arn('HttpLogGroup')), read, defer] },
    { role: 'EventBusRole', may: [assume, allow(LOGS, arn('EventDashbusLogGroup')), read, defer] },
    { role: 'InvokeRole', may: [assume, allow(LOGS, arn('InvokeLogGroup')), read, defer] },
    {
      role: 'DeferredRole',
      may: [
        assume,
        allow(LOGS, arn('DeferredLogGroup')),
        read,
        allow(['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'], executions('dev')),
        publish('default'),
        allow(['sqs:SendMessage'], arn('FailedRequestsQueue')),
      ],
    },
    {
      role: 'MonitorRole',
      may: [
        assume,
        allow(LOGS, arn('MonitorLogGroup')),
        read,
        publish('default'),
        allow(['sqs:SendMessage'], arn('FailedRunsQueue')),
      ],
    },
    {
      role: 'RetentionRole',
      may: [
        assume,
        allow(LOGS, arn('RetentionLogGroup')),
        allow(['secretsmanager:GetSecretValue'], secret('')),
        publish('default'),
        allow(['sqs:SendMessage'], arn('FailedRetentionQueue')),
      ],
    },
    {
      role: 'RetentionScheduleRole',
      may: [
        assumeFor('RetentionGroup'),
        allow(['lambda:InvokeFunction'], arn('RetentionLambdaFunction')),
        allow(['sqs:SendMessage'], arn('UndeliveredEventsQueue')),
      ],
    },
    {
      role: 'MonitorScheduleRole',
      may: [
        assumeFor('MonitorGroup'),
        allow(['lambda:InvokeFunction'], arn('MonitorLambdaFunction')),
        allow(['sqs:SendMessage'], arn('UndeliveredEventsQueue')),
      ],
    },
    {
      role: 'NightlyRole',
      may: [
        assume,
        allow(LOGS, arn('NightlyLogGroup')),
        read,
        allow(['lambda:InvokeFunction'], arn('InvokeLambdaFunction')),
        allow(['sqs:SendMessage'], arn('FailedNightsQueue')),
      ],
    },
    {
      role: 'NightlyScheduleRole',
      may: [
        assumeFor('NightlyGroup'),
        allow(['lambda:InvokeFunction'], arn('NightlyLambdaFunction')),
        allow(['sqs:SendMessage'], arn('UndeliveredEventsQueue')),
      ],
    },
  ])('$role: what its function needs and nothing else', ({ role, may }) => {
    expect(statements(properties(role))).toEqual(may);
    expect(properties(role)).not.toHaveProperty('ManagedPolicyArns');
  });

  it('roles: these, none by the framework', () => {
    expect(Object.keys(ofType('AWS::IAM::Role')).sort()).toEqual([
      'DeferredRole',
      'EventBusRole',
      'HttpRole',
      'InvokeRole',
      'MonitorRole',
      'MonitorScheduleRole',
      'NightlyRole',
      'NightlyScheduleRole',
      'RetentionRole',
      'RetentionScheduleRole',
    ]);
  });

  it.each(['DeferredRole', 'MonitorRole', 'RetentionRole'])('%s: eventBus → that bus', (role) => {
    expect(statements(properties(role, given))).toContainEqual(publish('orders'));
  });

  it('MonitorRole: a topic for its report → may publish to that topic', () => {
    const notifies = (from = plain) =>
      statements(properties('MonitorRole', from)).filter(({ Action }) => String(Action).startsWith('sns'));
    expect(notifies()).toEqual([]);
    expect(notifies(given)).toEqual([notify(TOPIC)]);
    expect(notifies(mailed)).toEqual([notify({ Ref: 'AlarmTopic' })]);
  });

  it.each(FUNCTIONS)('$role: its secret and no other', ({ role, name }) => {
    const reads = statements(properties(role, given)).filter(({ Action }) => String(Action).startsWith('secrets'));
    const own = secret(name === 'retention' ? 'team/dds-retention' : 'team/dds');
    expect(reads).toEqual([allow(['secretsmanager:GetSecretValue'], own)]);
  });

  it('DeferredRole: eventBus and stage → that bus, the executions of that stage', () => {
    const may = statements(properties('DeferredRole', given)).flatMap(({ Resource }) => Resource);
    expect(may).toContainEqual(bus('orders'));
    expect(may).toContainEqual(executions('prod'));
  });

  it('wildcards: only for the six characters that Secrets Manager adds to a name, and for the versions of deferred', () => {
    const allowed = statements(given.template).filter(({ Effect }) => Effect === 'Allow');
    const patterns = allowed.flatMap(({ Action, Resource }) => [...Action, ...Resource]);
    const wild = patterns.filter((pattern) => /[*?]/.test(JSON.stringify(pattern)));
    expect(wild).toHaveLength(FUNCTIONS.length + 1);
    const secrets = [secret('team/dds'), secret('team/dds-retention')];
    expect(wild.filter((pattern) => !secrets.some((one) => isDeepStrictEqual(pattern, one)))).toEqual([
      executions('prod'),
    ]);
    expect(plain.text).not.toMatch(/"Not(Action|Resource|Principal)"/);
  });

  it('calls of a function: only by the APIs and the rule', () => {
    const api = {
      FunctionName: arn('HttpLambdaFunction'),
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
    };
    // By the framework: all routes of this API.
    const http = {
      ...api,
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
    };
    const webhooks = {
      ...api,
      SourceArn: {
        'Fn::Sub': `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${WebhookApi}/$default/POST/webhooks`,
      },
    };
    const rule = {
      FunctionName: arn('EventDashbusLambdaFunction'),
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn: arn('BackupRequestedRule'),
    };
    expect(created('AWS::Lambda::Permission')).toEqual([http, rule]);
    expect(created('AWS::Lambda::Permission', given)).toEqual([http, webhooks, rule]);
  });
});
