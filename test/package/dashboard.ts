import { describe, expect, it } from 'vitest';
import { isObject, metricFilters, type Package, references } from '../cloudformation.ts';
import { given, ofType, plain, properties } from './packaged.ts';

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title: string;
    readonly query?: string;
    readonly metrics?: readonly (readonly unknown[])[];
    readonly annotations?: unknown;
  };
}

/** The widgets, with the name of the resource in the place of each reference. */
function widgetsOf(from: Package): readonly Widget[] {
  const { DashboardBody } = properties('Dashboard', from);
  if (!isObject(DashboardBody)) throw new Error('no DashboardBody');
  return JSON.parse(String(DashboardBody['Fn::Sub']).replace(/\$\{([^}]+)\}/g, '$1')).widgets;
}

/** `namespace name dimension value`; `.` repeats the part of the line before. */
function metricsOf({ properties: { metrics = [] } }: Widget): string[] {
  let before: readonly unknown[] = [];
  return metrics.map((line) => {
    before = line.filter((part) => typeof part === 'string').map((part, i) => (part === '.' ? before[i] : part));
    return before.join(' ');
  });
}

describe('the dashboard', () => {
  const metrics = (from: Package) => widgetsOf(from).flatMap(metricsOf);

  it('widgets: requests, ages, reasons, latency, executions, backup events, the monitor and dead letters', () => {
    expect(widgetsOf(plain).map(({ properties: { title } }) => title)).toEqual([
      'Requests by outcome',
      'Backup age by instance, in hours',
      'Rejected and failed requests by reason',
      'Milliseconds until DDS accepts, first attempt',
      'Deferred executions',
      'Backup events',
      'Monitor',
      'Dead letters',
    ]);
  });

  it('references: each → a resource', () => {
    const known = [...Object.keys(plain.template.Resources), 'AWS::Region'];
    const used = references(properties('Dashboard').DashboardBody);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each([
    ['dev', plain],
    ['prod', given],
  ])('stage %s: the metrics that its filters make, by their dimensions', (stage, from) => {
    const made = metricFilters(from.template)
      .flatMap(({ MetricTransformations }) => MetricTransformations)
      .map(({ MetricNamespace, MetricName, Dimensions = [] }) =>
        [MetricNamespace, MetricName, ...Dimensions.map(({ Key }) => Key)].join(' '),
      );
    const ours = metrics(from).filter((metric) => metric.startsWith('DdsBackupTrigger/'));
    const shown = ours.map((metric) => metric.split(' ').slice(0, 3).join(' '));
    expect(made).toEqual(expect.arrayContaining(shown));
    // MaxBackupAgeHours is the maximum of the ages, which a search finds.
    const notShown = made.filter((metric) => !shown.includes(metric)).map((metric) => metric.split(' ')[1]);
    expect(notShown).toEqual(['BackupAgeHours', 'MaxBackupAgeHours']);
    expect(made).toContain(`DdsBackupTrigger/${stage} BackupAgeHours InstanceId`);
    expect(JSON.stringify(widgetsOf(from))).toContain(
      `SEARCH('{DdsBackupTrigger/${stage},InstanceId} MetricName=\\"BackupAgeHours\\"', 'Maximum')`,
    );
  });

  it.each([
    ['dev', plain],
    ['prod', given],
  ])('stage %s: every queue → its messages', (_, from) => {
    for (const [id, { Condition, Properties }] of Object.entries(ofType('AWS::SQS::Queue', from))) {
      // A queue that may not exist cannot be referred to.
      const name = Condition === undefined ? `${id}.QueueName` : Properties.QueueName;
      expect(metrics(from)).toContain(`AWS/SQS ApproximateNumberOfMessagesVisible QueueName ${name}`);
    }
  });

  it('metrics: each of this service and stage', () => {
    const unbound = metrics(plain).filter((metric) => metric.startsWith('AWS/') && metric.split(' ').length < 4);
    expect(unbound).toEqual([]);
  });

  it('backup events: all that have a figure', () => {
    const events = metrics(plain).filter((metric) => metric.includes(' BackupEvents '));
    expect(events.map((metric) => metric.split(' ').at(-1))).toEqual([
      'backup.completed',
      'backup.failed',
      'backup.stuck',
      'backup.overdue',
      'backup.expired',
    ]);
  });

  it('backup age: a line at the limit', () => {
    const line = (from: Package) =>
      widgetsOf(from).flatMap(({ properties: { annotations } }) => (annotations === undefined ? [] : [annotations]));
    expect(line(plain)).toEqual([{ horizontal: [{ label: 'maxBackupAgeHours', value: 26 }] }]);
    expect(line(given)).toEqual([{ horizontal: [{ label: 'maxBackupAgeHours', value: 50 }] }]);
  });

  it('log queries: the logs of all functions that make backups', () => {
    const queries = widgetsOf(plain).flatMap(({ properties: { query } }) => (query === undefined ? [] : [query]));
    expect(queries).toHaveLength(2);
    for (const query of queries) {
      const sources = Array.from(query.matchAll(/SOURCE '(\w+)'/g), ([, source]) => source);
      expect(sources).toEqual(['HttpLogGroup', 'EventDashbusLogGroup', 'InvokeLogGroup', 'DeferredLogGroup']);
    }
  });

  it('layout: fills 24 columns, no widget covers another', () => {
    const taken = new Set<string>();
    for (const { x, y, width, height } of widgetsOf(plain)) {
      expect(x + width).toBeLessThanOrEqual(24);
      for (let column = x; column < x + width; column++)
        for (let row = y; row < y + height; row++) {
          expect(taken.has(`${column},${row}`)).toBe(false);
          taken.add(`${column},${row}`);
        }
    }
    expect(taken.size % 24).toBe(0);
  });
});
