import { describe, expect, it } from 'vitest';
import { holds } from '../cloudformation.ts';
import { sample } from '../support/lambda.ts';
import { arn, given, INSTANCE, ofType, plain, properties, resource } from './packaged.ts';

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

  it('calls invoke at night with its own ARN as the id, the time of the night and a name prefix', () => {
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
          id: '<aws.scheduler.schedule-arn>',
          time: '<aws.scheduler.scheduled-time>',
          backup: { instance_id: INSTANCE, name_prefix: 'nightly' },
        });
        return true;
      }),
    });
  });

  it('sends what the sample shows', () => {
    const { Target, Name } = properties('NightlySchedule', given);
    const { Input } = Target as { Input: string };
    const group = properties('NightlyGroup').Name;
    const sent = Input.replace(
      '<aws.scheduler.schedule-arn>',
      `arn:aws:scheduler:eu-central-1:123456789012:schedule/${group}/${Name}`,
    ).replace('<aws.scheduler.scheduled-time>', '2026-03-01T02:30:00Z');
    expect(JSON.parse(sent)).toEqual(sample('schedule'));
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

describe('the schedule of watch', () => {
  it('runs every five minutes from the hour on, in every deployment', () => {
    expect(properties('WatchSchedule')).toMatchObject({
      GroupName: { Ref: 'WatchGroup' },
      ScheduleExpression: 'cron(0/5 * * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: arn('WatchLambdaFunction'),
        RoleArn: arn('WatchScheduleRole'),
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
        DeadLetterConfig: { Arn: arn('UndeliveredQueue') },
      },
    });
    expect(properties('WatchSchedule')).not.toHaveProperty('State');
    for (const id of ['WatchGroup', 'WatchSchedule', 'WatchScheduleRole', 'StaleBackups'])
      expect(resource(id).Condition, id).toBeUndefined();
  });

  it('sends what the sample shows', () => {
    const { Target } = properties('WatchSchedule');
    const { Input } = Target as { Input: string };
    const sent = Input.replace('<aws.scheduler.scheduled-time>', '2026-03-01T12:10:00Z');
    expect(JSON.parse(sent)).toEqual(sample('watch'));
  });

  it('has a role that only this account and this schedule group can make the scheduler take', () => {
    expect(properties('WatchScheduleRole').AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': arn('WatchGroup') },
          },
        },
      ],
    });
  });
});
