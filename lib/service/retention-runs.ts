/** The runs of retention: what they need, log and publish. */
import { type Decision, type ExpiredBackup, type RetentionRun, retention } from '../backup/retention.ts';
import { Failure } from '../errors.ts';
import { isoSeconds } from '../time.ts';
import { readRetentionConfig } from './config.ts';
import { describeError, log } from './log.ts';
import type { BusEvent, Origin } from './ports.ts';
import { forEach, withOrigin } from './projects.ts';
import { once, type Service, type TimeLeft } from './service.ts';

/**
 * Runs retention for each project. Every deletion is logged and published at once. A project that fails does not keep
 * the others from it.
 * @throws the first failure, once all are done
 */
export function retentionRuns({ env, timing, projects, budget, publish }: Service) {
  const onExpired =
    (origin: Origin) =>
    async (expired: ExpiredBackup): Promise<void> => {
      const event = expiredEvent(expired, timing.now(), origin);
      log('info', { event: 'backup.expired', ...event.detail });
      // The deletion is done: that the bus does not take its event ends nothing.
      await publish([event]).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        log('error', { event: 'publish.failed', ...event.detail, ...describeError(error) });
      });
    };
  const runs = once(() => {
    const config = readRetentionConfig(env);
    return projects().all.map(({ origin, dds }) => ({
      origin,
      run: retention({
        ...config,
        dds,
        timing,
        onUnreadable: (record) => log('error', { event: 'retention.unreadable', ...record, ...origin }),
        onExpired: onExpired(origin),
      }),
    }));
  });
  return async (time: Date, invocation: TimeLeft, signal?: AbortSignal): Promise<readonly RetentionRun[]> => {
    const done: RetentionRun[] = [];
    await forEach(runs(), async ({ origin, run }) => {
      const result = await run(time, budget(invocation, signal)).catch((error) =>
        Promise.reject(withOrigin(error, origin)),
      );
      logRetention(time, result, origin);
      // A key without the right, or no answer: for the operator. A busy instance is not.
      const failed = result.postponed.find(({ error }) => error.meaning.level === 'error');
      if (failed) throw withOrigin(failed.error, origin);
      done.push(result);
    });
    return done;
  };
}

/** A line for each backup that is due or postponed, and `retention.done` with counts. */
function logRetention(time: Date, { decisions, expired, postponed }: RetentionRun, origin: Origin): void {
  const gone = new Set(expired.map(({ backup }) => backup.id));
  const due = decisions.filter(({ action, backup }) => action === 'delete' && !gone.has(backup.id));
  for (const decision of due) log('info', { event: 'retention.due', ...describeDecision(decision), ...origin });
  for (const { backup, error } of postponed)
    log('warn', {
      event: 'retention.postponed',
      backup_id: backup.id,
      name: backup.name,
      ...origin,
      ...describeError(error),
    });
  log('info', {
    event: 'retention.done',
    ...origin,
    time: time.toISOString(),
    backups: decisions.length,
    due: due.length,
    expired: expired.length,
    postponed: postponed.length,
  });
}

const describeDecision = ({ backup, reason, rule }: Decision) => ({
  backup_id: backup.id,
  name: backup.name,
  instance_id: backup.instance_id,
  rule: rule?.text,
  reason,
});

const expiredEvent = ({ backup, rule, remaining }: ExpiredBackup, time: Date, origin: Origin): BusEvent => ({
  type: 'DDS Backup Expired',
  time,
  detail: {
    id: `${backup.id}-expired`,
    backup_id: backup.id,
    name: backup.name,
    instance_id: backup.instance_id,
    ...(backup.instance_name !== undefined && { instance_name: backup.instance_name }),
    ...(backup.beganAt !== undefined && { began_at: isoSeconds(backup.beganAt) }),
    ...(backup.sizeKb !== undefined && { size_kb: backup.sizeKb }),
    rule: rule.text,
    remaining,
    ...origin,
  },
});
