import { describe, expect, it } from 'vitest';
import { isObject, type Package, references } from '../cloudformation.ts';
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

/** As CloudFormation will fill it in, with the name of what is referred to in each reference's place. */
function widgetsOf(from: Package): readonly Widget[] {
  const { DashboardBody } = properties('Dashboard', from);
  if (!isObject(DashboardBody)) throw new Error('no DashboardBody');
  return JSON.parse(String(DashboardBody['Fn::Sub']).replace(/\$\{([^}]+)\}/g, '$1')).widgets;
}

/** `namespace name dimension value`, with `.` for what stands there in the line before. */
function metricsOf({ properties: { metrics = [] } }: Widget): string[] {
  let before: readonly unknown[] = [];
  return metrics.map((line) => {
    before = line.filter((part) => typeof part === 'string').map((part, i) => (part === '.' ? before[i] : part));
    return before.join(' ');
  });
}

describe('the dashboard', () => {
  const metrics = (from: Package) => widgetsOf(from).flatMap(metricsOf);

  it('shows outcomes, reasons, latency, executions, ends, freshness and dead letters', () => {
    expect(widgetsOf(plain).map(({ properties: { title } }) => title)).toEqual([
      'Events, by outcome',
      'Hours since the last backup, by instance',
      'Refused and failed, by reason',
      'Milliseconds until DDS accepted, in one attempt',
      'Deferred executions',
      'Backups, by their end',
      'Dead letters',
    ]);
  });

  it('refers to what there is', () => {
    const known = [...Object.keys(plain.template.Resources), 'AWS::Region'];
    const used = references(properties('Dashboard').DashboardBody);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each([
    ['dev', plain],
    ['prod', given],
  ])('shows the metrics that the filters of the stage %s make, by their dimensions', (stage, from) => {
    const filters = Object.values(ofType('AWS::Logs::MetricFilter', from)).flatMap(
      ({ Properties }) =>
        Properties.MetricTransformations as readonly {
          MetricNamespace: string;
          MetricName: string;
          Dimensions?: readonly { Key: string }[];
        }[],
    );
    const made = filters.map(({ MetricNamespace, MetricName, Dimensions = [] }) =>
      [MetricNamespace, MetricName, ...Dimensions.map(({ Key }) => Key)].join(' '),
    );
    const ours = metrics(from).filter((metric) => metric.startsWith('DdsBackupTrigger/'));
    expect(ours.length).toBeGreaterThan(0);
    for (const metric of ours) expect(made).toContain(metric.split(' ').slice(0, 3).join(' '));
    expect(made).toContain(`DdsBackupTrigger/${stage} HoursSinceBackup InstanceId`);
    expect(JSON.stringify(widgetsOf(from))).toContain(
      `SEARCH('{DdsBackupTrigger/${stage},InstanceId} MetricName=\\"HoursSinceBackup\\"', 'Maximum')`,
    );
  });

  it('shows every queue', () => {
    for (const id of Object.keys(ofType('AWS::SQS::Queue')))
      expect(metrics(plain)).toContain(`AWS/SQS ApproximateNumberOfMessagesVisible QueueName ${id}.QueueName`);
  });

  it('draws the line where the alarm on freshness goes off', () => {
    const line = (from: Package) =>
      widgetsOf(from).flatMap(({ properties: { annotations } }) => (annotations === undefined ? [] : [annotations]));
    expect(line(plain)).toEqual([{ horizontal: [{ label: 'StaleBackups', value: 26 }] }]);
    expect(line(given)).toEqual([{ horizontal: [{ label: 'StaleBackups', value: 50 }] }]);
    expect(properties('StaleBackups').Threshold).toBe(26);
  });

  it('reads the logs of all that make backups', () => {
    const queries = widgetsOf(plain).flatMap(({ properties: { query } }) => (query === undefined ? [] : [query]));
    expect(queries).toHaveLength(2);
    for (const query of queries) {
      const sources = Array.from(query.matchAll(/SOURCE '(\w+)'/g), ([, source]) => source);
      expect(sources).toEqual(['HttpLogGroup', 'EventDashbusLogGroup', 'InvokeLogGroup', 'DeferredLogGroup']);
    }
  });

  it('fills its 24 columns, and no widget covers another', () => {
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
