import { describe, expect, it } from 'vitest';
import { holds, type Package } from '../cloudformation.ts';
import { FUNCTIONS, given, ofType, plain, properties, TOPIC } from './packaged.ts';

describe('alarms', () => {
  const byFunction = (id: string) => [{ Name: 'FunctionName', Value: { Ref: `${id}LambdaFunction` } }];
  const byQueue = (id: string) => [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } }];
  const errors = { Namespace: 'AWS/Lambda', MetricName: 'Errors', Statistic: 'Sum' };
  const lost = { Namespace: 'AWS/Lambda', MetricName: 'DestinationDeliveryFailures', Statistic: 'Sum' };
  const arrived = { Namespace: 'AWS/SQS', MetricName: 'NumberOfMessagesSent', Statistic: 'Sum' };
  const endings = (event: string) => ({
    Namespace: 'DdsBackupTrigger/dev',
    MetricName: 'Endings',
    Statistic: 'Sum',
    Dimensions: [{ Name: 'Event', Value: event }],
  });
  const expected: Record<string, object> = {
    HttpErrors: { ...errors, Dimensions: byFunction('Http') },
    DeferredFailed: { ...errors, MetricName: 'DurableExecutionFailed', Dimensions: byFunction('Deferred') },
    DeferredTimedOut: { ...errors, MetricName: 'DurableExecutionTimedOut', Dimensions: byFunction('Deferred') },
    DeferredLost: { ...errors, MetricName: 'DeadLetterErrors', Dimensions: byFunction('Deferred') },
    BackupFailed: {
      Namespace: 'DdsBackupTrigger/dev',
      MetricName: 'Outcomes',
      Statistic: 'Sum',
      Dimensions: [{ Name: 'Event', Value: 'backup.failed' }],
    },
    GivenUp: { ...arrived, Dimensions: byQueue('GivenUpQueue') },
    Undelivered: { ...arrived, Dimensions: byQueue('UndeliveredQueue') },
    EventBusLost: { ...lost, Dimensions: byFunction('EventDashbus') },
    InvokeLost: { ...lost, Dimensions: byFunction('Invoke') },
    RuleLost: { Namespace: 'AWS/Events', MetricName: 'InvocationsFailedToBeSentToDlq', Statistic: 'Sum' },
    NightlyLost: {
      Namespace: 'AWS/Scheduler',
      MetricName: 'InvocationsFailedToBeSentToDeadLetterCount',
      Statistic: 'Sum',
      Dimensions: [{ Name: 'ScheduleGroup', Value: { Ref: 'NightlyGroup' } }],
    },
    FailedBackups: endings('backup.failed'),
    StuckBackups: endings('backup.stuck'),
    WatchFailed: { ...arrived, Dimensions: byQueue('WatchFailedQueue') },
    WatchLost: { ...lost, Dimensions: byFunction('Watch') },
    WatchScheduleLost: {
      Namespace: 'AWS/Scheduler',
      MetricName: 'InvocationsFailedToBeSentToDeadLetterCount',
      Statistic: 'Sum',
      Dimensions: [{ Name: 'ScheduleGroup', Value: { Ref: 'WatchGroup' } }],
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

  it.each([
    { after: '26 hours', from: plain, stage: 'dev', Threshold: 26 },
    // CloudFormation takes a number in quotes.
    { after: 'as many hours as the parameter says', from: given, stage: 'prod', Threshold: '50' },
  ])('StaleBackups goes off $after after a backup, and when nobody looked for a quarter of an hour', (expected) => {
    const { from, stage, Threshold } = expected;
    expect(properties('StaleBackups', from)).toMatchObject({
      Namespace: `DdsBackupTrigger/${stage}`,
      MetricName: 'WorstHoursSinceBackup',
      Dimensions: [],
      Statistic: 'Maximum',
      Period: 900,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold,
      TreatMissingData: 'breaching',
    });
  });

  it('are these and no others, and each says what it means', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(Object.keys(alarms).sort()).toEqual([...Object.keys(expected), 'StaleBackups'].sort());
    const descriptions = Object.values(alarms).map(({ Properties }) => Properties.AlarmDescription);
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  it('go to the topic of the parameter, and nowhere without it', () => {
    const { Resources } = given.template;
    for (const id of [...Object.keys(expected), 'StaleBackups']) {
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

  const withOutcomes = FUNCTIONS.filter(({ name }) => name !== 'watch');

  it.each(withOutcomes)('count the outcomes that $name logs, each stage apart', ({ id }) => {
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
    expect(filters(plain)).toHaveLength(withOutcomes.length + 3);
  });

  const watched = (id: string, from: Package) => {
    const { LogGroupName, FilterPattern, MetricTransformations } = properties(id, from);
    expect(LogGroupName).toEqual({ Ref: 'WatchLogGroup' });
    const [transformation] = MetricTransformations as readonly Record<string, unknown>[];
    return { FilterPattern, ...transformation };
  };

  it.each([
    [plain, 'dev'],
    [given, 'prod'],
  ])('read what watch logs of every backup, every instance and the worst of these, each stage apart', (from, stage) => {
    const MetricNamespace = `DdsBackupTrigger/${stage}`;
    const isEnding = ['completed', 'failed', 'stuck'].map((kind) => `$.message.event = "backup.${kind}"`).join(' || ');
    expect(watched('WatchEndings', from)).toEqual({
      FilterPattern: `{ ${isEnding} }`,
      MetricNamespace,
      MetricName: 'Endings',
      MetricValue: '1',
      Unit: 'Count',
      Dimensions: [{ Key: 'Event', Value: '$.message.event' }],
    });
    expect(watched('WatchFreshness', from)).toEqual({
      FilterPattern: '{ $.message.event = "backup.freshness" }',
      MetricNamespace,
      MetricName: 'HoursSinceBackup',
      MetricValue: '$.message.hours',
      Dimensions: [{ Key: 'InstanceId', Value: '$.message.instance_id' }],
    });
    expect(watched('WatchWorstFreshness', from)).toEqual({
      FilterPattern: '{ $.message.event = "watch.done" }',
      MetricNamespace,
      MetricName: 'WorstHoursSinceBackup',
      MetricValue: '$.message.worst_hours',
    });
  });
});
