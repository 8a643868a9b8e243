import { describe, expect, it } from 'vitest';
import { statements } from '../cloudformation.ts';
import { arn, given, ofType, plain, properties, resource } from './packaged.ts';

const DAY = 24 * 60 * 60;

describe('dead-letter queues', () => {
  it.each([
    ['FailedRequestsQueue', 'failed-requests'],
    ['FailedRunsQueue', 'failed-runs'],
    ['FailedNightsQueue', 'failed-nights'],
    ['FailedRetentionQueue', 'failed-retention'],
    ['UndeliveredEventsQueue', 'undelivered-events'],
  ])('%s: named by stage, keeps a message for 14 days, encrypted', (id, name) => {
    const kept = { MessageRetentionPeriod: 14 * DAY, SqsManagedSseEnabled: true };
    expect(properties(id)).toEqual({ QueueName: `dds-backup-trigger-dev-${name}`, ...kept });
    expect(properties(id, given)).toEqual({ QueueName: `dds-backup-trigger-prod-${name}`, ...kept });
    expect(Object.keys(ofType('AWS::SQS::Queue'))).toHaveLength(5);
  });

  it.each([
    ['FailedNightsQueue', 'Nightly'],
    ['FailedRetentionQueue', 'Retention'],
  ])('%s: only with %s', (id, condition) => {
    for (const part of [id, `${id}Policy`]) expect(resource(part).Condition, part).toBe(condition);
    expect(plain.template.Outputs[`${id}Url`]?.Condition).toBe(condition);
  });

  it.each(Object.keys(ofType('AWS::SQS::Queue')))('%s: its policy → nothing without TLS', (id) => {
    expect(properties(`${id}Policy`)).toMatchObject({
      Queues: [{ Ref: id }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: expect.arrayContaining([
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 'sqs:*',
            Resource: arn(id),
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ]),
      },
    });
  });

  it('policies: only the rule may write, and only to the queue of undelivered events', () => {
    const policies = Object.values(ofType('AWS::SQS::QueuePolicy')).map(({ Properties }) => Properties);
    expect(policies).toHaveLength(5);
    const allowed = policies.flatMap(statements).filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toEqual([
      {
        Effect: 'Allow',
        Action: ['sqs:SendMessage'],
        Resource: [arn('UndeliveredEventsQueue')],
        Condition: { ArnEquals: { 'aws:SourceArn': arn('BackupRequestedRule') } },
      },
    ]);
    expect(JSON.stringify(properties('UndeliveredEventsQueuePolicy'))).toContain(
      '"Principal":{"Service":"events.amazonaws.com"}',
    );
  });
});

describe('failures', () => {
  it.each(['EventDashbus', 'Invoke'])('%s: fails → deferred at once, without a retry by Lambda', (id) => {
    expect(properties(`${id}LambdaEvConf`)).toMatchObject({
      FunctionName: { Ref: `${id}LambdaFunction` },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 3600,
      // The alias: Lambda calls no unqualified durable function.
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::Join': [':', [arn('DeferredLambdaFunction'), 'durable']] } },
      },
    });
    expect(properties(`${id}LambdaFunction`)).not.toHaveProperty('DeadLetterConfig');
    expect(properties('DeferredDurableLambdaAlias')).toMatchObject({
      FunctionName: { Ref: 'DeferredLambdaFunction' },
      Name: 'durable',
    });
  });

  it('deferred: fails → its queue; its execution is kept as long as the message', () => {
    expect(properties('DeferredLambdaFunction')).toMatchObject({
      DeadLetterConfig: { TargetArn: arn('FailedRequestsQueue') },
      DurableConfig: { ExecutionTimeout: 8 * DAY, RetentionPeriodInDays: 14 },
    });
    expect(Object.keys(ofType('AWS::Lambda::EventInvokeConfig'))).toEqual([
      'EventDashbusLambdaEvConf',
      'InvokeLambdaEvConf',
      'MonitorLambdaEvConf',
      'NightlyLambdaEvConf',
      'RetentionLambdaEvConf',
    ]);
  });

  it.each([
    ['default', plain, 24],
    ['greatest', given, 168],
  ])('deferred: %s maximum age → the execution has at least a day more to end by itself', (_, from, hours) => {
    const { Environment, DurableConfig } = properties('DeferredLambdaFunction', from);
    expect(Environment).toMatchObject({ Variables: { MAX_REQUEST_AGE_HOURS: String(hours) } });
    expect(DurableConfig).toMatchObject({ ExecutionTimeout: expect.toSatisfy((s) => s >= hours * 3600 + DAY) });
  });

  it.each([
    ['Monitor', 'FailedRunsQueue'],
    ['Nightly', 'FailedNightsQueue'],
  ])('%s: fails → retried twice within six hours, then its queue', (id, queue) => {
    expect(properties(`${id}LambdaEvConf`)).toMatchObject({
      FunctionName: { Ref: `${id}LambdaFunction` },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: arn(queue) } },
    });
  });

  it('retention: fails → its queue, without a retry by Lambda, which would delete more than the limit of a run', () => {
    expect(properties('RetentionLambdaEvConf')).toMatchObject({
      FunctionName: { Ref: 'RetentionLambdaFunction' },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: arn('FailedRetentionQueue') } },
    });
  });
});
