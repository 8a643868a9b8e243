/** `npm run monitor`: one run of the monitor against the emulator of `npm start`; events are printed, not published. */
import { awsService } from '../../lib/aws/platform.ts';
import type { BackupAge } from '../../lib/backup/age.ts';
import { windowOf } from '../../lib/backup/lifecycle.ts';
import { monitorOf } from '../../lib/backup/monitor.ts';
import type { InstanceReport, Report } from '../../lib/backup/report.ts';
import { readMonitorConfig } from '../../lib/service/config.ts';
import { busEvents } from '../../lib/service/monitoring.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import { EMULATOR_PORT } from '../plugins/local.ts';
import { emulatorEnvironment, main, type Options, readPort, readTime } from './command.ts';
import { table } from './table.ts';

const USAGE = `npm run monitor -- [options]

Makes one run of the monitor: prints the backup events of five minutes, and the age of each instance's last backup.
Needs the emulator of npm start, in another terminal.

  --report      makes it the run that sends the daily report, and prints that
  --time TIME   the run's time, such as 2026-03-01T12:10:00Z. A run finds the events of the five minutes that ended five
                minutes before its time. Default: five minutes ahead, so that these are the last five minutes
  --port ${EMULATOR_PORT}   where the emulator listens, on 127.0.0.1
  --help        this text`;

const AHEAD_MILLIS = 5 * MINUTE;
const RUN_MILLIS = 30 * SECOND;

function printAges(ages: readonly BackupAge[], time: Date): void {
  console.log(
    `\nHours since the last completed backup, or since the instance was created, at ${clock(time.getTime())}:\n`,
  );
  for (const { hours, instance_name = '', instance_id, last_backup_id = 'none' } of ages) {
    const age = (hours?.toFixed(2) ?? 'unknown').padStart(10);
    console.log(`  ${age}  ${instance_name.padEnd(12)} ${instance_id}  backup ${last_backup_id}`);
  }
}

/** Of the summary all but the instances, which are a table here. */
function printReport({ summary, instances }: Report): void {
  const [text] = summary.split('\n\nAll instances:');
  console.log(`\n${text}\n`);
  console.log(table(instances.map(rowOf)));
}

const rowOf = (one: InstanceReport): Readonly<Record<string, string>> => ({
  instance: one.instance_name ?? one.instance_id,
  status: one.status ?? '',
  'age, h': one.hours?.toFixed(1) ?? 'unknown',
  'limit, h': String(one.limit_hours ?? 'off'),
  'last, kB': String(one.last_size_kb ?? ''),
  'completed in 24 h': String(one.completed_24h),
  'failed in 24 h': String(one.failed_24h),
  'manual kept': String(one.manual_backups ?? '?'),
  'their kB': String(one.manual_size_kb ?? '?'),
});

const clock = (millis: number): string => new Date(millis).toISOString().slice(11, 19);

async function runMonitor(options: Options): Promise<number> {
  const now = new Date();
  const time = readTime(String(options.time ?? new Date(now.getTime() + AHEAD_MILLIS).toISOString()), now);
  const env = {
    ...(await emulatorEnvironment(readPort(options))),
    ...(options.report === true && { REPORT_TIME: time.toISOString().slice(11, 16) }),
  };
  const { after, until } = windowOf(time);
  console.log(`The run of ${time.toISOString()} finds the events from ${clock(after)} to ${clock(until)} UTC.\n`);

  const { projects, budget, timing } = awsService({ env });
  const end = Date.now() + RUN_MILLIS;
  const invocation = { getRemainingTimeInMillis: () => end - Date.now() };
  for (const { dds, origin } of projects().all) {
    const monitor = monitorOf({ dds, policy: readMonitorConfig(env), now: timing.now });
    const run = await monitor(time, budget(invocation));
    const { report, ...rest } = run;
    const events = busEvents(rest, time, origin);
    if (events.length === 0) console.log('No events.');
    for (const { type, detail } of events) console.log(`${type}\n${JSON.stringify(detail, undefined, 2)}`);
    if (report) printReport(report);
    else printAges(run.ages, time);
    for (const record of run.unreadable) console.log(`Unreadable: ${JSON.stringify(record)}`);
  }
  return 0;
}

await main({
  usage: USAGE,
  options: {
    report: { type: 'boolean', default: false },
    time: { type: 'string' },
    port: { type: 'string', default: String(EMULATOR_PORT) },
  },
  run: runMonitor,
});
