import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { statements } from '../cloudformation.ts';
import { arn, created, FUNCTIONS, given, ofType, plain, properties } from './packaged.ts';

describe('rights', () => {
  const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
  const secret = (name: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????`,
  });
  const allow = (Action: string[], ...Resource: unknown[]) => ({ Effect: 'Allow', Action, Resource });
  const assume = allow(['sts:AssumeRole']);
  const defer = allow(['lambda:InvokeFunction'], { Ref: 'DeferredDurableLambdaAlias' });
  const inThisRegion = (service: string, rest: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`,
  });
  const executions = (stage: string) =>
    inThisRegion('lambda', `function:dds-backup-trigger-${stage}-deferred:*/durable-execution/*/*`);
  const bus = (name: string) => inThisRegion('events', `event-bus/${name}`);
  const read = allow(['secretsmanager:GetSecretValue'], secret('dds-backup-trigger'));

  it.each([
    { role: 'HttpRole', may: [allow(LOGS, arn('HttpLogGroup')), read] },
    { role: 'EventBusRole', may: [allow(LOGS, arn('EventDashbusLogGroup')), read, defer] },
    { role: 'InvokeRole', may: [allow(LOGS, arn('InvokeLogGroup')), read, defer] },
    {
      role: 'DeferredRole',
      may: [
        allow(LOGS, arn('DeferredLogGroup')),
        read,
        allow(['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'], executions('dev')),
        allow(['events:PutEvents'], bus('default')),
        allow(['sqs:SendMessage'], arn('GivenUpQueue')),
      ],
    },
    {
      role: 'WatchRole',
      may: [
        allow(LOGS, arn('WatchLogGroup')),
        read,
        allow(['events:PutEvents'], bus('default')),
        allow(['sqs:SendMessage'], arn('WatchFailedQueue')),
      ],
    },
    {
      role: 'WatchScheduleRole',
      may: [
        allow(['lambda:InvokeFunction'], arn('WatchLambdaFunction')),
        allow(['sqs:SendMessage'], arn('UndeliveredQueue')),
      ],
    },
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

  it('belong to these roles, none of them made by the framework', () => {
    expect(Object.keys(ofType('AWS::IAM::Role')).sort()).toEqual([
      'DeferredRole',
      'EventBusRole',
      'HttpRole',
      'InvokeRole',
      'NightlyRole',
      'WatchRole',
      'WatchScheduleRole',
    ]);
  });

  it('reach the bus that the parameter names, and no other', () => {
    expect(statements(properties('WatchRole', given))).toContainEqual(allow(['events:PutEvents'], bus('orders')));
  });

  it('reach the secret that the parameter names', () => {
    for (const { role } of FUNCTIONS) {
      const reads = statements(properties(role, given)).filter(({ Action }) => String(Action).startsWith('secrets'));
      expect(reads).toEqual([allow(['secretsmanager:GetSecretValue'], secret('team/dds'))]);
    }
  });

  it('to put events and to keep executions go with the bus and the stage', () => {
    const may = statements(properties('DeferredRole', given)).flatMap(({ Resource }) => Resource);
    expect(may).toContainEqual(bus('orders'));
    expect(may).toContainEqual(executions('prod'));
  });

  it('hold no wildcard, save for the six characters that Secrets Manager puts behind every name, and for the executions of every version', () => {
    const allowed = statements(plain.template).filter(({ Effect }) => Effect === 'Allow');
    const patterns = allowed.flatMap(({ Action, Resource }) => [...Action, ...Resource]);
    const wild = patterns.filter((pattern) => /[*?]/.test(JSON.stringify(pattern)));
    expect(wild).toHaveLength(FUNCTIONS.length + 1);
    expect(wild.filter((pattern) => !isDeepStrictEqual(pattern, secret('dds-backup-trigger')))).toEqual([
      executions('dev'),
    ]);
    expect(plain.text).not.toMatch(/"Not(Action|Resource|Principal)"/);
  });

  it('to call a function belong to the APIs and to the rule alone', () => {
    const api = {
      FunctionName: arn('HttpLambdaFunction'),
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
    };
    // The framework's own: all routes of this API and no other.
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
