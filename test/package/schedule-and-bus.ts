import { describe, expect, it } from 'vitest';
import { EVENT_SOURCE } from '../../lib/service/ports.ts';
import { holds } from '../cloudformation.ts';
import { sample } from '../support/lambda.ts';
import { arn, given, ofType, plain, properties, resource } from './packaged.ts';

describe('the rule', () => {
  const target = {
    Id: 'event-bus',
    Arn: arn('EventDashbusLambdaFunction'),
    RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
    DeadLetterConfig: { Arn: arn('UndeliveredEventsQueue') },
  };

  it('by default → the events of its stage on the default bus', () => {
    expect(properties('BackupRequestedRule')).toMatchObject({
      EventBusName: 'default',
      EventPattern: { source: ['dds-backup-trigger.requests.dev'], 'detail-type': ['Backup Requested'] },
      Targets: [target],
    });
  });

  it('parameters → their bus, source and detail-type; creates no bus', () => {
    expect(properties('BackupRequestedRule', given)).toMatchObject({
      EventBusName: 'orders',
      EventPattern: { source: ['shop.release'], 'detail-type': ['Migration Planned'] },
      Targets: [target],
    });
    expect(ofType('AWS::Events::EventBus', given)).toEqual({});
  });

  it.each([
    ['event-bus', ({ source }: { source: string }) => source],
    ['deferred', ({ requestPayload }: { requestPayload: { source: string } }) => requestPayload.source],
  ])('sample %s: its source → that of the rule by default', (name, sourceOf) => {
    expect(properties('BackupRequestedRule')).toMatchObject({ EventPattern: { source: [sourceOf(sample(name))] } });
  });

  it('events that we publish → no request', () => {
    expect(properties('BackupRequestedRule')).not.toMatchObject({ EventPattern: { source: [EVENT_SOURCE] } });
  });
});

describe('the nightly schedule', () => {
  it('nightlyInstances: missing → no schedule, no role, no alarm', () => {
    const nightly = ['NightlyGroup', 'NightlySchedule', 'NightlyScheduleRole', 'NightlyFailed'];
    for (const id of nightly) expect(resource(id).Condition, id).toBe('Nightly');
    expect(holds(plain.template, 'Nightly')).toBe(false);
    expect(holds(given.template, 'Nightly')).toBe(true);
  });

  it('by default → 4:30 UTC, which no change of clocks skips', () => {
    expect(properties('NightlySchedule')).toMatchObject({
      ScheduleExpression: 'cron(30 4 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
    });
  });

  it('calls nightly, by its own times, in a group of its own', () => {
    const { Target, ...schedule } = properties('NightlySchedule', given);
    expect(schedule).toMatchObject({
      GroupName: { Ref: 'NightlyGroup' },
      ScheduleExpression: 'cron(0 22 ? * MON-FRI *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
    expect(schedule).not.toHaveProperty('State');
    expect(Target).toMatchObject({
      Arn: arn('NightlyLambdaFunction'),
      RoleArn: arn('NightlyScheduleRole'),
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
      DeadLetterConfig: { Arn: arn('UndeliveredEventsQueue') },
    });
  });

  it('input: its own ARN and the time of the night, as in the sample event', () => {
    const { Target, Name } = properties('NightlySchedule');
    const { Input } = Target as { Input: string };
    const group = properties('NightlyGroup').Name;
    const sent = Input.replace(
      '<aws.scheduler.schedule-arn>',
      `arn:aws:scheduler:eu-central-1:123456789012:schedule/${group}/${Name}`,
    ).replace('<aws.scheduler.scheduled-time>', '2026-03-01T04:30:00Z');
    expect(JSON.parse(sent)).toEqual(sample('nightly'));
  });

  it('role: assumed by Scheduler only for this account and this schedule group', () => {
    expect(properties('NightlyScheduleRole').AssumeRolePolicyDocument).toMatchObject({
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

describe('the schedule of the monitor', () => {
  it('every deployment: every five minutes of the clock', () => {
    expect(properties('MonitorGroup')).toEqual({ Name: 'dds-backup-trigger-dev-monitor' });
    expect(properties('MonitorSchedule')).toMatchObject({
      Name: 'monitor',
      GroupName: { Ref: 'MonitorGroup' },
      ScheduleExpression: 'cron(0/5 * * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: arn('MonitorLambdaFunction'),
        RoleArn: arn('MonitorScheduleRole'),
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
        DeadLetterConfig: { Arn: arn('UndeliveredEventsQueue') },
      },
    });
    expect(properties('MonitorSchedule')).not.toHaveProperty('State');
    for (const id of ['MonitorGroup', 'MonitorSchedule', 'MonitorScheduleRole', 'BackupOverdue', 'MonitorSilent'])
      expect(resource(id).Condition, id).toBeUndefined();
  });

  it('input: as in the sample event', () => {
    const { Target } = properties('MonitorSchedule');
    const { Input } = Target as { Input: string };
    const sent = Input.replace('<aws.scheduler.scheduled-time>', '2026-03-01T12:10:00Z');
    expect(JSON.parse(sent)).toEqual(sample('monitor'));
  });

  it('role: assumed by Scheduler only for this account and this schedule group', () => {
    expect(properties('MonitorScheduleRole').AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': arn('MonitorGroup') },
          },
        },
      ],
    });
  });
});

describe('the schedule of retention', () => {
  it('parameter retention: missing → no schedule, no role, no queue, no alarm', () => {
    const ids = ['RetentionGroup', 'RetentionSchedule', 'RetentionScheduleRole', 'RetentionFailed'];
    for (const id of [...ids, 'FailedRetentionQueue', 'RetentionBackupEvents'])
      expect(resource(id).Condition, id).toBe('Retention');
  });

  it('once a day, in a group of its own', () => {
    expect(properties('RetentionGroup', given)).toEqual({ Name: 'dds-backup-trigger-prod-retention' });
    expect(properties('RetentionSchedule', given)).toMatchObject({
      Name: 'retention',
      GroupName: { Ref: 'RetentionGroup' },
      ScheduleExpression: 'cron(30 5 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: arn('RetentionLambdaFunction'),
        RoleArn: arn('RetentionScheduleRole'),
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
        DeadLetterConfig: { Arn: arn('UndeliveredEventsQueue') },
      },
    });
    expect(properties('RetentionSchedule')).not.toHaveProperty('State');
  });

  it('input: as in the sample event', () => {
    const { Target } = properties('RetentionSchedule');
    const { Input } = Target as { Input: string };
    const sent = Input.replace('<aws.scheduler.scheduled-time>', '2026-03-01T05:30:00Z');
    expect(JSON.parse(sent)).toEqual(sample('retention'));
  });
});
