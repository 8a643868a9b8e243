import { describe, expect, it } from 'vitest';
import { arn, ofType, properties } from './packaged.ts';

describe('what fails', () => {
  it('is kept for 14 days and encrypted, whichever queue it ends in', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(Object.keys(queues)).toEqual(['GivenUpQueue', 'WatchFailedQueue', 'UndeliveredQueue']);
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
