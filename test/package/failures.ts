import { describe, expect, it } from 'vitest';
import { arn, ofType, properties } from './packaged.ts';

const DAY = 24 * 60 * 60;

describe('what fails', () => {
  it('is kept for 14 days and encrypted, whichever queue it ends in', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(Object.keys(queues)).toEqual(['GivenUpQueue', 'WatchFailedQueue', 'UndeliveredQueue']);
    for (const { Properties } of Object.values(queues)) {
      expect(Properties).toMatchObject({ MessageRetentionPeriod: 14 * 24 * 60 * 60, SqsManagedSseEnabled: true });
    }
  });

  it.each(['EventDashbus', 'Invoke'])('of %s goes to deferred at once, with its error', (id) => {
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

  it('for good at deferred is kept in its queue, and its execution is known as long as the queue keeps it', () => {
    expect(properties('DeferredLambdaFunction')).toMatchObject({
      DeadLetterConfig: { TargetArn: arn('GivenUpQueue') },
      DurableConfig: { ExecutionTimeout: 8 * DAY, RetentionPeriodInDays: 14 },
    });
    expect(Object.keys(ofType('AWS::Lambda::EventInvokeConfig'))).toEqual([
      'EventDashbusLambdaEvConf',
      'InvokeLambdaEvConf',
      'WatchLambdaEvConf',
    ]);
  });

  it('is tried for a day, which leaves the execution a week to end by itself', () => {
    const { Environment, DurableConfig } = properties('DeferredLambdaFunction') as {
      Environment: { Variables: { DEFERRED_PATIENCE_SECONDS: string } };
      DurableConfig: { ExecutionTimeout: number };
    };
    expect(Number(Environment.Variables.DEFERRED_PATIENCE_SECONDS)).toBe(DAY);
    expect(DurableConfig.ExecutionTimeout).toBeGreaterThan(DAY);
  });

  it('of watch is tried three times within six hours, then kept with its time', () => {
    expect(properties('WatchLambdaEvConf')).toMatchObject({
      FunctionName: { Ref: 'WatchLambdaFunction' },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: arn('WatchFailedQueue') } },
    });
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
