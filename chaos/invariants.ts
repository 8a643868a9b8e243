/** What must hold when everything is over, held against what DDS knows: not against what the functions believe. */
import { isDeepStrictEqual } from 'node:util';
import type { BackupRecord } from '../emulator/dds/records.ts';
import type { Answer } from './deliveries.ts';
import { type Ending, endingOf } from './ending.ts';
import type { PlannedEvent } from './events.ts';
import { LONGEST_RETRY_AFTER } from './weather.ts';
import type { Delivery, History } from './world.ts';

export interface Violation {
  readonly invariant: string;
  readonly event: PlannedEvent;
  readonly found: string;
  readonly deliveries: readonly Delivery[];
}

/** An event, all its deliveries and the backups that began for it. */
interface Case {
  readonly event: PlannedEvent;
  readonly deliveries: readonly EndedDelivery[];
  readonly unended: readonly Delivery[];
  /** One for each POST that took effect, whichever delivery sent it and whether or not anybody heard of it. */
  readonly effects: readonly Effect[];
  readonly history: History;
}

interface EndedDelivery extends Delivery {
  readonly endedAt: number;
  readonly answer: Answer;
  readonly ending: Ending;
}

/** Times by our clock, not by DDS's. */
interface Effect {
  readonly backup: BackupRecord;
  readonly began: number;
  readonly ended: number;
}

/** middy's own guard acts at this distance: nothing may need it. */
const GUARD_MILLIS = 500;
const DAY = 24 * 60 * 60 * 1000;
/** A time that is stated may be so far ahead of ours before a day is all that is looked back. */
const FURTHEST_AHEAD = 5 * 60 * 1000;

const MAY_PASS = ['Throttled', 'DdsUnavailable', 'UpstreamTimeout', 'UpstreamUnreachable', 'UpstreamInvalid'];
/** The reserve, the longest backoff, the shortest attempt, and the longest Retry-After of the weather. */
const LONGEST_PAUSE = 1000 + 5000 + 250 + LONGEST_RETRY_AFTER * 1000;

type Invariant = (subject: Case) => readonly string[];

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'at most one POST takes effect for an event': ({ effects }) =>
    effects.length > 1 ? [`${effects.length} took effect`] : [],

  'a success means that exactly one backup exists for the event, and names it': ({ deliveries, effects }) =>
    deliveries.flatMap(({ ending }) =>
      ending.kind !== 'success' || (effects.length === 1 && effects[0]?.backup.id === ending.backupId)
        ? []
        : [`${ending.backupId} was reported, and ${effects.map(({ backup }) => backup.id).join() || 'none'} is there`],
    ),

  'a job_id that is reported is that of the backup': ({ deliveries, history }) =>
    deliveries.flatMap(({ ending }) =>
      ending.kind !== 'success' ||
      ending.jobId === undefined ||
      history.emulator.state.job(ending.jobId)?.backup.id === ending.backupId
        ? []
        : [`job ${ending.jobId} is not that of ${ending.backupId}`],
    ),

  'no delivery reports success once the backup has FAILED': ({ deliveries, effects }) =>
    deliveries.flatMap(({ ending, startedAt }) =>
      ending.kind === 'success' && effects.some((effect) => hadFailed(effect, startedAt))
        ? [`${ending.backupId} was reported after it had FAILED`]
        : [],
    ),

  'no event is denied a backup that is its own and told apart': ({ event, deliveries, effects }) =>
    deliveries.flatMap((delivery) =>
      delivery.ending.kind === 'failure' && isAboutTheBackup(delivery) && effects.some(isKnowable(event, delivery))
        ? [`${delivery.lines[0]?.error} although its backup was there`]
        : [],
    ),

  'a derived name is taken by its own event only': ({ event, deliveries, effects }) =>
    event.backup.name === undefined && effects.length === 0
      ? deliveries
          .flatMap(posts)
          .filter(({ request }) => request.errorCode === 'DBS.201201')
          .map(() => 'the name was taken, and not by this event')
      : [],

  'no delivery outlives its deadline': ({ deliveries }) =>
    deliveries.flatMap(({ endedAt, endsBefore }) =>
      endedAt > endsBefore - GUARD_MILLIS ? [`it ended ${endedAt - endsBefore} ms from being cut off`] : [],
    ),

  'no delivery gives up on what may pass while there is time': ({ deliveries }) =>
    deliveries.flatMap(({ lines, endedAt, endsBefore }) =>
      MAY_PASS.includes(String(lines[0]?.error)) && endsBefore - endedAt > LONGEST_PAUSE
        ? [`${lines[0]?.error} with ${Math.round(endsBefore - endedAt)} ms left`]
        : [],
    ),

  'no event is silent': ({ deliveries, unended }) => [
    ...unended.map(() => 'a delivery never ended'),
    ...deliveries.flatMap(({ ending }) => (ending.kind === 'undocumented' ? [ending.what] : [])),
  ],

  'every delivery leaves one log line, and it tells the same as the answer': ({ deliveries }) =>
    deliveries.flatMap((delivery) =>
      delivery.lines.length === 1 && agrees(delivery) ? [] : [`logged ${JSON.stringify(delivery.lines)}`],
    ),

  'DDS is asked for what the event asks for, under one name': ({ event, deliveries }) => {
    const asked = deliveries.flatMap(posts).map(({ request }) => request.body);
    const { name, name_prefix, ...rest } = event.backup;
    const named = (body: unknown) => isDeepStrictEqual(body, { backup: { ...rest, name: name ?? nameIn(body) } });
    return [
      ...asked.filter((body) => !named(body)).map((body) => `asked for ${JSON.stringify(body)}`),
      ...(new Set(asked.map(nameIn)).size > 1 ? ['asked under several names'] : []),
      ...asked.filter((body) => !nameIn(body)?.startsWith(name_prefix ?? '')).map(() => 'asked without the prefix'),
    ];
  },
};

export function violations(history: History): readonly Violation[] {
  const { events, deliveries, emulator, conditions } = history;
  const byEvent = Map.groupBy(deliveries, ({ event }) => event);
  const byName = new Map(emulator.state.backups().map((backup) => [backup.name, backup]));

  const effect = (name: string | undefined): Effect[] => {
    const backup = byName.get(name ?? '');
    if (!backup) return [];
    const { beginAt, endAt } = backup;
    return [{ backup, began: beginAt - conditions.skewMillis, ended: endAt - conditions.skewMillis }];
  };
  return events.flatMap((event) => {
    const all = byEvent.get(event) ?? [];
    const ended = all.flatMap(({ answer, endedAt, ...rest }) =>
      answer && endedAt !== undefined ? [{ ...rest, answer, endedAt, ending: endingOf(answer) }] : [],
    );
    const subject: Case = {
      event,
      history,
      deliveries: ended,
      unended: all.filter(({ endedAt }) => endedAt === undefined),
      effects: all
        .flatMap(posts)
        .filter(({ request }) => request.tookEffect)
        .flatMap(({ request }) => effect(nameIn(request.body))),
    };
    return Object.entries(INVARIANTS).flatMap(([invariant, check]) =>
      check(subject).map((found) => ({ invariant, event, found, deliveries: all })),
    );
  });
}

const posts = ({ calls }: Delivery) => calls.filter(({ request }) => request.operation === 'create-backup');

function nameIn(body: unknown): string | undefined {
  const { backup } = Object(body);
  const { name } = Object(backup);
  return typeof name === 'string' ? name : undefined;
}

const hadFailed = ({ backup, ended }: Effect, at: number): boolean => backup.outcome === 'FAILED' && ended <= at;

/** Whether it was refused with a code that one's own backup explains, and not because the list could not be read. */
function isAboutTheBackup({ lines, calls }: Delivery): boolean {
  const last = calls.at(-1);
  const unread = last?.request.operation === 'list-backups' && last.fault !== undefined;
  return !unread && ['DBS.201201', 'DBS.201015', 'DBS.280042', 'DBS.212003'].includes(String(lines[0]?.dds_code));
}

/**
 * Whether the design promises that a delivery recognises the backup as its event's own: it was there before, did not
 * fail, and bears a derived name or began after the time that the event states. Where the event states none, a name that
 * the caller gave is recognised by the delivery only that made it, and any name within a day only.
 */
const isKnowable =
  ({ source, backup: { name } }: PlannedEvent, { startedAt, endedAt, statedAt, calls }: EndedDelivery) =>
  (effect: Effect): boolean => {
    const states = ['plain-request', 'event-bus', 'invoke-with-time'].includes(source);
    const own = calls.some(({ request }) => request.tookEffect);
    const since = states ? statedAt : startedAt;
    const looked = calls.find(({ request }) => request.operation === 'list-backups')?.at ?? endedAt;
    const there = effect.began < looked;
    const today = effect.began > endedAt - DAY + 2000;
    const recent = today || (name === undefined && states && effect.began > statedAt - FURTHEST_AHEAD);
    return there && recent && !hadFailed(effect, endedAt) && (name === undefined || own || effect.began >= since);
  };

/** Whether the log line says what the answer says. */
function agrees({ ending, lines: [line = {}] }: EndedDelivery): boolean {
  if (ending.kind === 'success') {
    const event = ending.jobId === undefined ? 'backup.recognised' : 'backup.accepted';
    return line.event === event && line.backup_id === ending.backupId && line.job_id === ending.jobId;
  }
  if (ending.kind !== 'failure') return false;
  const isSame = [line.error, line.dds_code].includes(ending.name);
  return isSame && ['backup.refused', 'backup.failed'].includes(String(line.event));
}
