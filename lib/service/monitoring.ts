/** The runs of the monitor: what they need, log and publish. */
import { type BackupEvent, type MonitorRun, monitorOf } from '../backup/monitor.ts';
import type { Report } from '../backup/report.ts';
import { readMonitorConfig } from './config.ts';
import { log } from './log.ts';
import type { BusEvent, Origin } from './ports.ts';
import { forEach, withOrigin } from './projects.ts';
import { once, type Service, type TimeLeft } from './service.ts';

/**
 * Runs the monitor for each project, and logs and publishes what it finds. A project that fails does not silence the
 * others. Every run throws Failure `ConfigurationError` until the configuration is complete.
 * @throws the first failure, once all are done
 */
export function monitorRuns({ env, timing, projects, budget, publish, notify }: Service) {
  const monitors = once(() => {
    const policy = readMonitorConfig(env);
    return projects().all.map(({ origin, dds }) => ({ origin, monitor: monitorOf({ policy, dds, now: timing.now }) }));
  });
  return async (time: Date, invocation: TimeLeft, signal?: AbortSignal): Promise<readonly MonitorRun[]> => {
    const runs: MonitorRun[] = [];
    await forEach(monitors(), async ({ origin, monitor }) => {
      const startedAt = timing.now().getTime();
      const run = await monitor(time, budget(invocation, signal)).catch((error) =>
        Promise.reject(withOrigin(error, origin)),
      );
      logRun(time, run, origin, timing.now().getTime() - startedAt);
      const { report } = run;
      const subject = `DDS backups of ${origin.project_id}, ${report?.day}`;
      // The mail does not depend on the bus.
      await forEach(
        [() => publish(busEvents(run, time, origin)), ...(report ? [() => notify(subject, report.summary)] : [])],
        (send) => send(),
      );
      runs.push(run);
    });
    return runs;
  };
}

const LEVELS = {
  completed: 'info',
  failed: 'error',
  stuck: 'error',
  overdue: 'error',
  unknown: 'warn',
} as const satisfies Record<BackupEvent['kind'], string>;

/** Seconds. A clock that is further off deserves a look. */
const MAX_SKEW_SECONDS = 120;
const NO_CLOCK = "DDS's answers have no Date header that can be right. If its clock is off, backup events are missed.";

/**
 * Logs a line for each backup event, each age, each record that could not be read, and `monitor.done`. Metric filters
 * read these lines. They come before publishing, so that log and metrics do not depend on the bus.
 */
function logRun(time: Date, run: MonitorRun, origin: Origin, duration_ms: number): void {
  const { events, ages, unreadable, skewSeconds, backups, instances } = run;
  for (const { kind, detail } of events) log(LEVELS[kind], { event: `backup.${kind}`, ...detail, ...origin });
  for (const age of ages) log('info', { event: 'backup.age', ...age, ...origin });
  for (const record of unreadable) log('error', { event: 'monitor.unreadable', ...record, ...origin });
  if (skewSeconds === undefined) log('error', { event: 'monitor.skewed', message: NO_CLOCK, ...origin });
  else if (Math.abs(skewSeconds) > MAX_SKEW_SECONDS)
    log('error', { event: 'monitor.skewed', skew_seconds: skewSeconds, ...origin });

  const count = (of: BackupEvent['kind']) => events.filter(({ kind }) => kind === of).length;
  const oldest = ages.find(({ hours }) => hours !== undefined);
  log('info', {
    event: 'monitor.done',
    ...origin,
    time: time.toISOString(),
    duration_ms,
    backups,
    instances,
    completed: count('completed'),
    failed: count('failed'),
    stuck: count('stuck'),
    overdue: count('overdue'),
    unknown: count('unknown'),
    unreadable: unreadable.length,
    // A project without instances is more likely one that the key does not see.
    ...(instances > 0 && { max_age_hours: oldest?.hours ?? 0 }),
    ...(oldest && { max_age_instance_id: oldest.instance_id }),
  });
}

const TYPES = {
  completed: 'DDS Backup Completed',
  failed: 'DDS Backup Failed',
  stuck: 'DDS Backup Stuck',
  overdue: 'DDS Backup Overdue',
  // Whoever deleted it knows, and either outcome could be wrong.
  unknown: undefined,
} as const satisfies Record<BackupEvent['kind'], BusEvent['type'] | undefined>;

/** The events to publish; the report of the day, where it is due, comes last. */
export function busEvents({ events, report }: MonitorRun, time: Date, origin: Origin): readonly BusEvent[] {
  const published = events.flatMap(({ kind, time: at, detail }): BusEvent[] => {
    const type = TYPES[kind];
    return type === undefined ? [] : [{ type, time: at, detail: { ...detail, ...origin } }];
  });
  return report ? [...published, reportEvent(report, time, origin)] : published;
}

/** As many as fit into an event of 256 kB. */
const MAX_INSTANCES = 400;
const MAX_BACKUPS = 100;

const reportEvent = ({ instances, failed, suspicious, ...report }: Report, time: Date, origin: Origin): BusEvent => ({
  type: 'DDS Backup Report',
  time,
  detail: {
    id: `report-${origin.project_id}-${report.day}`,
    ...origin,
    ...report,
    instance_count: instances.length,
    instances: instances.slice(0, MAX_INSTANCES),
    failed_count: failed.length,
    failed: failed.slice(0, MAX_BACKUPS),
    suspicious_count: suspicious.length,
    suspicious: suspicious.slice(0, MAX_BACKUPS),
  },
});
