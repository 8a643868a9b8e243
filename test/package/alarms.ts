import { describe, expect, it } from 'vitest';
import { holds, isObject, type Package, references, statements } from '../cloudformation.ts';
import { EMAIL, given, mailed, ofType, plain, properties, resource, TOPIC } from './packaged.ts';

const LAMBDA = 'AWS/Lambda';
const OURS = 'DdsBackupTrigger/dev';
const byFunction = (id: string) => [{ Name: 'FunctionName', Value: { Ref: `${id}LambdaFunction` } }];
const byQueue = (id: string) => [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } }];
const byEvent = (event: string) => [{ Name: 'Event', Value: event }];
const lambda = (MetricName: string, id: string) => ({ Namespace: LAMBDA, MetricName, Dimensions: byFunction(id) });
const logged = (MetricName: string, event: string) => ({ Namespace: OURS, MetricName, Dimensions: byEvent(event) });
/** Alarms on a sum above zero within five minutes. */
const AT_ONCE: Readonly<Record<string, object>> = {
  HttpErrors: lambda('Errors', 'Http'),
  RequestFailed: logged('Requests', 'request.failed'),
  DeferredFailed: lambda('DurableExecutionFailed', 'Deferred'),
  DeferredTimedOut: lambda('DurableExecutionTimedOut', 'Deferred'),
  DeferredErrors: lambda('Errors', 'Deferred'),
  BackupFailed: logged('BackupEvents', 'backup.failed'),
  BackupStuck: logged('BackupEvents', 'backup.stuck'),
  BackupOverdue: logged('BackupEvents', 'backup.overdue'),
};

const QUEUES: Readonly<Record<string, string>> = {
  RequestDeadLettered: 'FailedRequestsQueue',
  EventUndelivered: 'UndeliveredEventsQueue',
  MonitorFailed: 'FailedRunsQueue',
  NightlyFailed: 'FailedNightsQueue',
  RetentionFailed: 'FailedRetentionQueue',
};

/** Alarms on a sum above zero within a quarter of an hour. */
const LASTING: Readonly<Record<string, object>> = {
  MonitorUnreadable: logged('MonitorEvents', 'monitor.unreadable'),
  MonitorSkewed: logged('MonitorEvents', 'monitor.skewed'),
  // Of any project: no dimension, so that a new one needs no alarm of its own.
  MonitorBlind: { Namespace: OURS, MetricName: 'MonitorBlindRuns', Dimensions: [] },
};

const ALL = [
  ...Object.keys(AT_ONCE),
  ...Object.keys(QUEUES),
  ...Object.keys(LASTING),
  'MonitorSilent',
  'NotDeadLettered',
];

const ABOVE_ZERO = {
  Statistic: 'Sum',
  EvaluationPeriods: 1,
  ComparisonOperator: 'GreaterThanThreshold',
  Threshold: 0,
  TreatMissingData: 'notBreaching',
};

describe('alarms', () => {
  it.each(Object.entries(AT_ONCE))('%s: one occurrence within five minutes → alarm', (id, metric) => {
    expect(properties(id)).toMatchObject({ ...ABOVE_ZERO, ...metric, Period: 300 });
    expect(properties(id)).not.toHaveProperty('DatapointsToAlarm');
  });

  it.each(Object.entries(QUEUES))(
    '%s: a message arrives in %s, its metric up to 15 minutes late → alarm',
    (id, queue) => {
      expect(properties(id)).toMatchObject({
        ...ABOVE_ZERO,
        Namespace: 'AWS/SQS',
        MetricName: 'NumberOfMessagesSent',
        Dimensions: byQueue(queue),
        Period: 300,
        EvaluationPeriods: 4,
        DatapointsToAlarm: 1,
      });
    },
  );

  it('queues: each has an alarm', () => {
    expect(Object.values(QUEUES).sort()).toEqual(Object.keys(ofType('AWS::SQS::Queue')).sort());
  });

  it.each(Object.entries(LASTING))('%s: one occurrence within a quarter of an hour → alarm', (id, metric) => {
    expect(properties(id)).toMatchObject({ ...ABOVE_ZERO, ...metric, Period: 900 });
  });

  it('MonitorSilent: no run within a quarter of an hour → alarm', () => {
    expect(properties('MonitorSilent')).toMatchObject({
      Namespace: OURS,
      MetricName: 'MonitorRuns',
      Dimensions: [],
      Statistic: 'Sum',
      Period: 900,
      EvaluationPeriods: 1,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });

  it('all: these, and each has a description of its own in one or two sentences', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(Object.keys(alarms).sort()).toEqual(ALL.toSorted());
    const descriptions = Object.values(alarms).map(({ Properties }) => String(Properties.AlarmDescription));
    expect(new Set(descriptions).size).toBe(descriptions.length);
    for (const description of descriptions) expect(description).toMatch(/^[A-Za-z][^.]*(\.[^ ][^.]*)*\.( [A-Z].*\.)?$/);
  });

  it('descriptions: numbers of hours → those of the parameters', () => {
    expect(properties('BackupOverdue', given).AlarmDescription).toContain('by default 50 hours');
    expect(properties('BackupStuck', given).AlarmDescription).toContain('after 6 hours');
  });

  it.each(ALL)('%s: its topic, at its beginning and at its end; without one → no action', (id) => {
    const actions = (topic: unknown) => ({ AlarmActions: [topic], OKActions: [topic] });
    expect(properties(id, given)).toMatchObject(actions(TOPIC));
    expect(properties(id, mailed)).toMatchObject(actions({ Ref: 'AlarmTopic' }));
    expect(properties(id, plain)).not.toHaveProperty('AlarmActions');
    expect(properties(id, plain)).not.toHaveProperty('OKActions');
  });
});

describe('the topic of alarms', () => {
  const TOPICS = ['AlarmTopic', 'AlarmSubscription', 'AlarmTopicPolicy'];

  it('alarmEmail → a topic with this subscription', () => {
    for (const id of TOPICS) expect(resource(id).Condition, id).toBe('NewTopic');
    expect(holds(mailed.template, 'NewTopic')).toBe(true);
    expect(properties('AlarmTopic', mailed)).toMatchObject({ TopicName: 'dds-backup-trigger-dev-alarms' });
    expect(properties('AlarmSubscription', mailed)).toEqual({
      TopicArn: { Ref: 'AlarmTopic' },
      Protocol: 'email',
      Endpoint: EMAIL,
    });
  });

  it('policy: CloudWatch of this account may publish, nothing may without TLS', () => {
    expect(statements(properties('AlarmTopicPolicy', mailed))).toEqual([
      {
        Effect: 'Allow',
        Action: ['sns:Publish'],
        Resource: [{ Ref: 'AlarmTopic' }],
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
      {
        Effect: 'Deny',
        Action: ['sns:Publish'],
        Resource: [{ Ref: 'AlarmTopic' }],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]);
  });

  it.each([
    ['missing', '', false],
    ['none', 'none', false],
    ['an ARN', TOPIC, true],
  ])('alarmTopicArn: %s → no topic is created; has one: %3$s', (_, value, has) => {
    const Conditions = JSON.parse(JSON.stringify(given.template.Conditions).replaceAll(TOPIC, value));
    expect(holds({ Conditions }, 'NewTopic')).toBe(false);
    expect(holds({ Conditions }, 'HasTopic')).toBe(has);
  });
});

describe('the alarm NotDeadLettered', () => {
  const statOf = (Namespace: string, MetricName: string, Dimensions: unknown) => ({
    Metric: { Namespace, MetricName, Dimensions },
    Stat: 'Sum',
    Period: 300,
  });
  const byGroup = (id: string) => [{ Name: 'ScheduleGroup', Value: { Ref: id } }];
  const destination = (id: string) => statOf(LAMBDA, 'DestinationDeliveryFailures', byFunction(id));
  const schedule = (group: string) =>
    statOf('AWS/Scheduler', 'InvocationsFailedToBeSentToDeadLetterCount', byGroup(group));
  const deferred = statOf(LAMBDA, 'DeadLetterErrors', byFunction('Deferred'));
  const rule = (stage: string) => ({ Name: 'RuleName', Value: `dds-backup-trigger-${stage}-event-bus` });
  const undelivered = (Dimensions: unknown) => statOf('AWS/Events', 'InvocationsFailedToBeSentToDlq', Dimensions);

  const metricsOf = (from: Package) => {
    const { Metrics } = properties('NotDeadLettered', from);
    return (Array.isArray(Metrics) ? Metrics : []).filter(isObject);
  };
  const statsOf = (from: Package) => metricsOf(from).flatMap(({ MetricStat }) => (MetricStat ? [MetricStat] : []));

  it('by default → what event-bus, invoke, deferred, the rule, and the monitor with its schedule lose', () => {
    expect(statsOf(plain)).toEqual([
      destination('EventDashbus'),
      destination('Invoke'),
      deferred,
      // On the default bus EventBridge counts by rule.
      undelivered([rule('dev')]),
      destination('Monitor'),
      schedule('MonitorGroup'),
    ]);
    expect(properties('BackupRequestedRule').Name).toBe(rule('dev').Value);
  });

  it('parameters → another bus, and nightly and retention with their schedules too', () => {
    expect(statsOf(given)).toEqual([
      destination('EventDashbus'),
      destination('Invoke'),
      deferred,
      undelivered([{ Name: 'EventBusName', Value: 'orders' }, rule('prod')]),
      destination('Nightly'),
      schedule('NightlyGroup'),
      destination('Monitor'),
      schedule('MonitorGroup'),
      destination('Retention'),
      schedule('RetentionGroup'),
    ]);
  });

  it('every schedule and every function with a destination or a dead-letter queue → is in it', () => {
    const used = references(properties('NotDeadLettered', given).Metrics);
    const groups = Object.keys(ofType('AWS::Scheduler::ScheduleGroup'));
    const functions = Object.values(ofType('AWS::Lambda::EventInvokeConfig')).flatMap(({ Properties }) =>
      references(Properties.FunctionName),
    );
    const queued = Object.entries(ofType('AWS::Lambda::Function'))
      .filter(([, { Properties }]) => 'DeadLetterConfig' in Properties)
      .map(([id]) => id);
    expect(used.toSorted()).toEqual([...groups, ...functions, ...queued].toSorted());
  });

  it.each([
    ['dev', plain],
    ['prod', given],
  ])('stage %s: the sum above zero, also of late and missing figures → alarm', (_, from) => {
    expect(properties('NotDeadLettered', from)).toMatchObject({
      EvaluationPeriods: 4,
      DatapointsToAlarm: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      TreatMissingData: 'notBreaching',
    });
    const [sum, ...metrics] = metricsOf(from);
    expect(sum).toEqual({ Id: 'lost', Label: 'not dead-lettered', Expression: 'SUM(FILL(METRICS(), 0))' });
    for (const metric of metrics) expect(metric).toMatchObject({ ReturnData: false });
    const ids = metrics.map(({ Id }) => Id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]\w*$/);
    // CloudWatch takes ten metrics.
    expect(ids.length).toBeLessThanOrEqual(10);
  });
});
