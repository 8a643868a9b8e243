/** What a run saw: a log line for all that happened, for each instance and for the run. Metric filters read them. */
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Happening } from '../backup/happening.ts';
import type { Watched } from '../backup/watch.ts';
import { DdsError } from '../dds/dds-error.ts';
import { Failure } from '../failure.ts';
import { isObject } from './http-event.ts';
import { log } from './log.ts';

const LEVEL = { completed: 'info', failed: 'error', stuck: 'error', unknown: 'warn' } as const satisfies Record<
  Happening['kind'],
  string
>;

interface Started extends Record<string, unknown> {
  startedAt: number;
}

/**
 * Logs what a run saw once all of it is announced: `backup.completed`, `.failed`, `.stuck` or `.unknown` for each that
 * happened, `backup.freshness` for each instance, and `watch.done`; or, of a run that failed, `watch.failed` alone.
 * The first of a stack: it hears of all that the others throw.
 */
export const watchOutcome = (): MiddlewareObj<unknown, Watched, Error, Context, Started> => ({
  before: ({ internal }) => {
    internal.startedAt = performance.now();
  },

  after: ({ event, internal, response }) => {
    if (!response) return;
    const { happenings, freshness, backups, instances } = response;
    for (const { kind, detail } of happenings) log(LEVEL[kind], { event: `backup.${kind}`, ...detail });
    for (const instance of freshness) log('info', { event: 'backup.freshness', ...instance });
    const count = (of: Happening['kind']) => happenings.filter(({ kind }) => kind === of).length;
    const [worst] = freshness;
    log('info', {
      event: 'watch.done',
      time: timeOf(event),
      duration_ms: Math.round(performance.now() - internal.startedAt),
      backups,
      instances,
      completed: count('completed'),
      failed: count('failed'),
      stuck: count('stuck'),
      unknown: count('unknown'),
      // A project without instances is more likely one that the key does not see: no figure is an alarm.
      ...(instances > 0 && { worst_hours: worst?.hours ?? 0 }),
      ...(worst && { worst_instance_id: worst.instance_id }),
    });
  },

  onError: ({ event, internal, error }) => {
    const failure = error instanceof Failure ? error : undefined;
    log('error', {
      event: 'watch.failed',
      time: timeOf(event),
      duration_ms: Math.round(performance.now() - internal.startedAt),
      // An error that is not ours is thrown on, and Lambda logs it; what it holds is not known here.
      error: failure?.name ?? 'Unexpected',
      ...(failure && { message: failure.message }),
      ...(failure instanceof DdsError && { dds_status: failure.status, dds_code: failure.code }),
    });
  },
});

function timeOf(event: unknown): string | undefined {
  const time = isObject(event) ? event.time : undefined;
  return typeof time === 'string' ? time.slice(0, 64) : undefined;
}
