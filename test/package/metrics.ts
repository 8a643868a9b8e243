import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../../emulator/dds/seed.ts';
import { monitorHandler } from '../../functions/monitor.ts';
import { retentionHandler } from '../../functions/retention.ts';
import { awsService } from '../../lib/aws/platform.ts';
import { backupNames, commandOf } from '../../lib/backup/trigger.ts';
import { Failure, type Reason } from '../../lib/errors.ts';
import { log, logFailure, logResult } from '../../lib/service/log.ts';
import { matchesPattern, metricFilters, valueAt } from '../cloudformation.ts';
import { environment } from '../support/emulated.ts';
import { call, lambdaContext, sample } from '../support/lambda.ts';
import { logLines } from '../support/log-lines.ts';
import { virtualTime } from '../support/virtual-time.ts';
import { FUNCTIONS, given, ofType, plain } from './packaged.ts';

const lines = logLines();

/** `name value dimension=value`, as CloudWatch makes them from the logged lines. */
function figures(logGroup: string): string[] {
  const filters = metricFilters(plain.template).filter(({ LogGroupName }) => LogGroupName.Ref === logGroup);
  return lines.flatMap((message) =>
    filters
      .filter(({ FilterPattern }) => matchesPattern(FilterPattern, { message }))
      .flatMap(({ MetricTransformations }) => MetricTransformations)
      .map(({ MetricName, MetricValue, Dimensions = [] }) => {
        const value = MetricValue.startsWith('$') ? valueAt(MetricValue, { message }) : Number(MetricValue);
        expect(value, `${MetricName} is a number`).toBeTypeOf('number');
        return [MetricName, value, ...Dimensions.map(({ Key, Value }) => `${Key}=${valueAt(Value, { message })}`)];
      })
      .map((parts) => parts.join(' ')),
  );
}

describe('metrics of requests', () => {
  const withRequests = FUNCTIONS.filter(({ name }) => !['monitor', 'nightly', 'retention'].includes(name));
  const about = { trigger: 'invoke', duration_ms: 5 };

  it.each(withRequests)('$name: every outcome → a figure of its own', ({ id }) => {
    const result = { name: 'nightly', backup_id: 'b1', attempts: 1 };
    logResult(about, { kind: 'accepted', job_id: 'j1', status: 202, text: '{}', ...result });
    logResult(about, { kind: 'replayed', ...result });
    log('info', { event: 'request.deferred', ...about });
    const failed = (reason: Reason) => logFailure(about, new Failure(reason, 'as an example'));
    failed('InstanceBusy');
    failed('UpstreamTimeout');
    logFailure(about, new Error('unexpected'));
    log('error', { event: 'publish.failed', ...about });

    expect(figures(`${id}LogGroup`)).toEqual([
      'Requests 1 Event=request.accepted',
      'Requests 1 Event=request.replayed',
      'Requests 1 Event=request.deferred',
      'Requests 1 Event=request.rejected',
      'Requests 1 Event=request.failed',
      'Requests 1 Event=request.failed',
    ]);
  });
});

describe('metrics of runs', () => {
  const HOUR = 3_600_000;
  const { id } = DEMO_INSTANCE;
  const { id: other } = DEMO_OTHER_INSTANCE;
  const at = (text: string) => new Date(`2026-03-01T${text}Z`);

  let time: ReturnType<typeof virtualTime>;
  let emulator: Emulator;
  beforeEach(async () => {
    // Seconds after the run of the sample event.
    time = virtualTime('2026-03-01T12:10:02Z');
    emulator = await startEmulator({ clock: time.now, instances: [DEMO_INSTANCE] });
  });
  afterEach(() => emulator.close());

  const serviceOf = (env: Record<string, string>) =>
    awsService({
      env: { ...environment(emulator), EVENT_BUS: 'orders', ...env },
      timing: { now: time.now, wait: time.wait, random: () => 1 },
      publish: async () => {},
      notify: async () => {},
      reserveMillis: 10_000,
    });
  const context = (millis: number) => {
    const end = time.now().getTime() + millis;
    return lambdaContext(() => end - time.now().getTime());
  };
  const monitor = (env: Record<string, string> = {}) =>
    call(monitorHandler(serviceOf(env)), sample('monitor'), context(60_000));
  const seed = (name: string, begin: string, end: string, more: object = {}) =>
    emulator.state.seedBackup({ name, instance_id: id, begin: at(begin), end: at(end), ...more });

  it('monitor: a quiet run → the age of each instance, and the greatest', async () => {
    emulator.state.setInstance(DEMO_OTHER_INSTANCE);
    seed('nightly', '03:00:00', '04:10:00');
    seed('nightly', '05:00:00', '06:40:00', { instance_id: other });
    await monitor();
    expect(figures('MonitorLogGroup')).toEqual([
      `BackupAgeHours 8 InstanceId=${id}`,
      `BackupAgeHours 5.5 InstanceId=${other}`,
      'MaxBackupAgeHours 8',
      'MonitorRuns 1',
    ]);
  });

  it('monitor: backup events → a figure of each kind but unknown', async () => {
    emulator.state.setInstance(DEMO_OTHER_INSTANCE);
    seed('completed', '11:00:00', '12:01:00');
    seed('failed', '11:00:00', '12:02:00', { outcome: 'FAILED' });
    seed('stuck', '00:03:00', '20:00:00');
    emulator.state.beginDeletion(seed('unknown', '11:00:00', '12:04:00'));
    // 26 hours before the middle of the window.
    const end = new Date(at('12:02:30').getTime() - 26 * HOUR);
    emulator.state.seedBackup({
      name: 'overdue',
      instance_id: other,
      begin: new Date(end.getTime() - HOUR),
      end,
    });
    await monitor();
    const counted = figures('MonitorLogGroup').filter((figure) => figure.startsWith('BackupEvents'));
    expect(counted.toSorted()).toEqual([
      'BackupEvents 1 Event=backup.completed',
      'BackupEvents 1 Event=backup.failed',
      'BackupEvents 1 Event=backup.overdue',
      'BackupEvents 1 Event=backup.stuck',
    ]);
    expect(lines.filter(({ event }) => event === 'backup.unknown')).toHaveLength(1);
  });

  it('monitor: instance that is never overdue → its age all the same', async () => {
    seed('nightly', '03:00:00', '04:10:00');
    await monitor({ MAX_BACKUP_AGE_OVERRIDES: `${id}=off` });
    expect(figures('MonitorLogGroup')).toContain(`BackupAgeHours 8 InstanceId=${id}`);
  });

  it('monitor: no instance → a blind run', async () => {
    emulator.state.removeInstance(id);
    await monitor();
    expect(figures('MonitorLogGroup')).toEqual(['MonitorRuns 1', 'MonitorBlindRuns 1']);
  });

  it('monitor: unreadable record and unknown age → a figure of the record, none of the age', async () => {
    emulator.faults.decide = ({ operation }) =>
      operation === 'list-instances' ? { kind: 'json', body: { instances: [{ id, name: 'orders' }] } } : undefined;
    await monitor();
    expect(figures('MonitorLogGroup')).toEqual([
      'MonitorEvents 1 Event=monitor.unreadable',
      'MaxBackupAgeHours 0',
      'MonitorRuns 1',
    ]);
  });

  it('monitor: skewed clock → a figure', async () => {
    await emulator.close();
    emulator = await startEmulator({
      clock: () => new Date(time.now().getTime() + HOUR / 6),
      instances: [DEMO_INSTANCE],
    });
    await monitor();
    expect(figures('MonitorLogGroup')).toContain('MonitorEvents 1 Event=monitor.skewed');
  });

  it('monitor: run that failed → no figure', async () => {
    emulator.faults.decide = () => ({ kind: 'status', status: 500 });
    await expect(monitor()).rejects.toThrow();
    expect(lines.at(-1)).toMatchObject({ event: 'monitor.failed' });
    expect(figures('MonitorLogGroup')).toEqual([]);
  });

  it.each([
    ['delete', ['BackupEvents 1 Event=backup.expired']],
    ['report', []],
  ])('retention in the mode %s → expired backups: %j', async (RETENTION_MODE, expected) => {
    const service = serviceOf({
      RETENTION: 'nightly: keep-within 7d, keep-last 1',
      RETENTION_INSTANCES: 'all',
      RETENTION_MODE,
    });
    for (const days of [9, 2]) {
      const begin = new Date(at('04:30:00').getTime() - days * 24 * HOUR);
      const [name = ''] = backupNames(
        commandOf({
          request: { backup: { instance_id: id, name_prefix: 'nightly' } },
          trigger: { kind: 'invoke', id: 'nightly', time: begin },
        }),
      );
      emulator.state.seedBackup({ name, instance_id: id, begin, type: 'Manual' });
    }
    await call(retentionHandler(service), sample('retention'), context(900_000));
    expect(lines.at(-1)).toMatchObject({ event: 'retention.done' });
    expect(figures('RetentionLogGroup')).toEqual(expected);
  });
});

describe('metrics', () => {
  it.each([
    ['dev', plain],
    ['prod', given],
  ])('stage %s: all filters → its namespace, and nothing else of it', (stage, from) => {
    const filters = metricFilters(from.template);
    const names = filters.flatMap((filter) => filter.MetricTransformations.map((metric) => metric.MetricNamespace));
    expect(new Set(names)).toEqual(new Set([`DdsBackupTrigger/${stage}`]));
    const ofDev = JSON.stringify(filters).replaceAll(`DdsBackupTrigger/${stage}`, 'DdsBackupTrigger/dev');
    expect(JSON.parse(ofDev)).toEqual(metricFilters(plain.template));
  });

  it('alarms: each of ours → a metric that a filter makes', () => {
    const made = metricFilters(plain.template).flatMap(({ MetricTransformations }) =>
      MetricTransformations.map(({ MetricName, Dimensions = [] }) =>
        [MetricName, ...Dimensions.map(({ Key }) => Key)].join(' '),
      ),
    );
    const used = Object.values(ofType('AWS::CloudWatch::Alarm'))
      .map(({ Properties }) => Properties)
      .filter(({ Namespace }) => Namespace === 'DdsBackupTrigger/dev')
      .map(({ MetricName, Dimensions }) => {
        const names = (Array.isArray(Dimensions) ? Dimensions : []).map(({ Name }: { Name: string }) => Name);
        return [MetricName, ...names].join(' ');
      });
    expect(used.length).toBeGreaterThan(0);
    for (const metric of used) expect(made).toContain(metric);
  });
});
