/**
 * What must hold at the end of a simulation, checked against the state of DDS and not against what the functions believe.
 * The rules of the design are written out once more: the code is under test.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BackupRecord } from '../../emulator/dds/records.ts';
import type { Answer } from './deliveries.ts';
import { type Ending, endingOf } from './ending.ts';
import type { PlannedEvent } from './events.ts';
import { MAX_RETRY_AFTER_SECONDS } from './faults.ts';
import type { Call, Delivery, History } from './simulation.ts';

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
  /** One for each POST that took effect, whichever delivery sent it and whether or not its answer arrived, in order. */
  readonly effects: readonly Effect[];
  /** The backup that has a name, whichever event it is for. */
  readonly holderOf: (name: string | undefined) => Effect | undefined;
  readonly history: History;
}

interface EndedDelivery extends Delivery {
  readonly endedAt: number;
  readonly answer: Answer;
  readonly ending: Ending;
  /** From the log line. */
  readonly reason: string | undefined;
  readonly outcomeUnknown: boolean;
  /** When the last look-up in the list began. */
  readonly lookedUpAt: number | undefined;
}

/** Times by our clock, not by DDS's. */
interface Effect {
  readonly backup: BackupRecord;
  readonly began: number;
  readonly ended: number;
}

const DAY = 24 * 60 * 60 * 1000;
/** DDS tells times, and its clock, to the second. */
const TOLERANCE_MILLIS = 2000;
const MAX_ATTEMPT_MILLIS = 10_000;
/** middy ends an invocation at this distance from its end. Nothing may need it. */
const GUARD_MILLIS = 500;

const TRANSIENT = [
  'Throttled',
  'DdsUnavailable',
  'UpstreamTimeout',
  'UpstreamUnreachable',
  'UpstreamInvalid',
  'OutcomeUnknown',
];
/** The reserve, the longest backoff, the shortest attempt, and the longest Retry-After of the faults. */
const MAX_PAUSE_MILLIS = 1000 + 5000 + 250 + MAX_RETRY_AFTER_SECONDS * 1000;

/** Refusals for the state of the instance, or perhaps for it. */
const AMBIGUOUS_CODES = ['DBS.280042', 'DBS.212003'];
const PERMANENT = [
  'BackupNameTaken',
  'BackupFailed',
  'DeadlinePassed',
  'DdsRejected',
  'InstanceNotFound',
  'InvalidRequest',
];

const NAME_TAKEN = 'DBS.201201';

type Invariant = (subject: Case) => readonly string[];

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'at most one backup of a trigger is ever BUILDING or COMPLETED': ({ effects }) =>
    effects.slice(1).flatMap(({ backup, began }, index) => {
      const before = effects[index];
      return before && hadFailed(before, began)
        ? []
        : [`${backup.name} began while ${before?.backup.name} had not FAILED`];
    }),

  'a further attempt is submitted only after the one before it FAILED': ({ deliveries, holderOf }) =>
    deliveries.flatMap(posts).flatMap(({ at, request }) => {
      const name = nameIn(request.body);
      const earlier = predecessor(name);
      const holder = holderOf(earlier);
      return earlier === undefined || (holder && hadFailed(holder, at))
        ? []
        : [`${name} was submitted and ${earlier} had not FAILED`];
    }),

  'a success names a backup of the trigger that had not FAILED': ({ deliveries, effects }) =>
    deliveries.flatMap(({ ending, lookedUpAt, startedAt }) => {
      if (ending.kind !== 'success') return [];
      const named = effects.find(({ backup }) => backup.id === ending.backupId);
      if (!named) return [`${ending.backupId} was reported, and the trigger has ${idsOf(effects)}`];
      return hadFailed(named, lookedUpAt ?? startedAt) ? [`${ending.backupId} was reported after it had FAILED`] : [];
    }),

  'a job_id that is reported is that of the backup': ({ deliveries, history }) =>
    deliveries.flatMap(({ ending }) =>
      ending.kind !== 'success' ||
      ending.jobId === undefined ||
      history.emulator.state.job(ending.jobId)?.backup.id === ending.backupId
        ? []
        : [`job ${ending.jobId} is not that of ${ending.backupId}`],
    ),

  'no permanent refusal while a backup of the trigger is there': ({ event, deliveries, effects }) =>
    deliveries
      .filter(isRefusedForGood)
      .filter((delivery) => {
        const own = effects.filter(isOwn(event, delivery, effects));
        // Past the deadline there is one look-up, as after a refusal for the state of the instance.
        return own.some((effect) => delivery.reason !== 'DeadlinePassed' || isRecent(event, delivery)(effect));
      })
      .map(({ reason }) => `${reason} although ${idsOf(effects)} was there`),

  'nothing is submitted after not_after': ({ deliveries }) =>
    deliveries
      .filter(({ notAfter }) => notAfter !== undefined)
      // The functions' clock tells whole milliseconds.
      .flatMap((delivery) => posts(delivery).filter(({ at }) => Math.floor(at) > (delivery.notAfter ?? at)))
      .map(({ at }) => `a POST at ${new Date(at).toISOString()}`),

  'no refusal for the state of the instance while the list shows a backup of the trigger': ({
    event,
    deliveries,
    effects,
  }) =>
    deliveries
      .filter((delivery) => isRefusedForState(delivery) && !isListUnread(delivery))
      .filter((delivery) => effects.filter(isOwn(event, delivery, effects)).some(isRecent(event, delivery)))
      .map(({ reason }) => `${reason} although ${idsOf(effects)} was listed`),

  'an unknown outcome follows a lost answer, or a refusal whose cause the list does not tell': ({ deliveries }) =>
    deliveries
      .filter(({ reason }) => reason === 'OutcomeUnknown')
      .filter((delivery) => {
        const wasTaken = posts(delivery).some(({ request }) => request.errorCode === NAME_TAKEN);
        const isUnexplained = isUndecided(delivery) || ((wasTaken || isLate(delivery)) && isListUnread(delivery));
        return !isUnexplained && !posts(delivery).some((call) => isLost(call, delivery));
      })
      .map(() => 'OutcomeUnknown although every answer arrived and the list was read'),

  'a failure with a known outcome has made no backup': ({ deliveries, holderOf }) =>
    deliveries
      .filter(({ ending, outcomeUnknown }) => ending.kind === 'failure' && !outcomeUnknown)
      .flatMap(({ calls, reason, endedAt }) =>
        calls
          .filter(({ request, row }) => request.tookEffect && row?.outcome !== 'misled')
          .map(({ request }) => holderOf(nameIn(request.body)))
          .filter((effect) => effect && !hadFailed(effect, endedAt))
          .map((effect) => `${reason} although it made ${effect?.backup.id}`),
      ),

  'a derived name is taken by its own trigger only': ({ event, deliveries, effects }) =>
    event.backup.name === undefined && effects.length === 0
      ? deliveries
          .flatMap(posts)
          .filter(({ request }) => request.errorCode === NAME_TAKEN)
          .map(() => 'the name was taken, and not by this trigger')
      : [],

  'every delivery ends before its deadline': ({ deliveries }) =>
    deliveries.flatMap(({ endedAt, endsBefore }) =>
      endedAt > endsBefore - GUARD_MILLIS ? [`it ended ${endsBefore - endedAt} ms before the platform would`] : [],
    ),

  'what may pass is retried while there is time': ({ deliveries }) =>
    deliveries
      .filter(({ reason = '' }) => TRANSIENT.includes(reason))
      .filter((delivery) => !isUndecided(delivery) && timeLeft(delivery) > MAX_PAUSE_MILLIS)
      .map((delivery) => `${delivery.reason} with ${Math.round(timeLeft(delivery))} ms left`),

  'every delivery ends in a documented answer': ({ deliveries, unended }) => [
    ...unended.map(() => 'a delivery never ended'),
    ...deliveries.flatMap(({ ending }) => (ending.kind === 'undocumented' ? [ending.what] : [])),
  ],

  'every delivery leaves one log line, which says the same as the answer': ({ deliveries }) =>
    deliveries.flatMap((delivery) =>
      delivery.lines.length === 1 && agrees(delivery) ? [] : [`logged ${JSON.stringify(delivery.lines)}`],
    ),

  'DDS is asked for what the event asks for, under the names of the trigger': ({ event, deliveries }) => {
    const asked = deliveries.flatMap(posts).map(({ request }) => request.body);
    const { name, name_prefix = '', ...rest } = event.backup;
    const isWanted = (body: unknown) => isDeepStrictEqual(body, { backup: { ...rest, name: name ?? nameIn(body) } });
    const derived = new RegExp(`^(${name_prefix}-(?:\\d{8}T\\d{6}Z-)?[a-z2-7]{14})(?:-[2-5])?$`);
    const stems = asked.map((body) => (name === undefined ? derived.exec(nameIn(body) ?? '')?.[1] : name));
    return [
      ...asked.filter((body) => !isWanted(body)).map((body) => `asked for ${JSON.stringify(body)}`),
      ...(stems.includes(undefined) ? [`asked under ${asked.map(nameIn)}`] : []),
      ...(new Set(stems).size > 1 ? [`asked under names of several triggers: ${[...new Set(stems)]}`] : []),
    ];
  },
};

export function violations(history: History): readonly Violation[] {
  const { events, deliveries, emulator, conditions } = history;
  const byEvent = Map.groupBy(deliveries, ({ event }) => event);
  const effects = emulator.state.backups().map(
    (backup): Effect => ({
      backup,
      began: backup.beginAt - conditions.skewMillis,
      ended: backup.endAt - conditions.skewMillis,
    }),
  );
  const byName = new Map(effects.map((effect) => [effect.backup.name, effect]));

  return events.flatMap((event) => {
    const all = byEvent.get(event) ?? [];
    const subject: Case = {
      event,
      history,
      deliveries: all.flatMap(ended),
      unended: all.filter(({ endedAt }) => endedAt === undefined),
      effects: all
        .flatMap(posts)
        .filter(({ request }) => request.tookEffect)
        .flatMap(({ request }) => byName.get(nameIn(request.body) ?? '') ?? [])
        .sort((a, b) => a.began - b.began),
      holderOf: (name) => byName.get(name ?? ''),
    };
    return Object.entries(INVARIANTS).flatMap(([invariant, check]) =>
      check(subject).map((found) => ({ invariant, event, found, deliveries: all })),
    );
  });
}

function ended({ answer, endedAt, ...delivery }: Delivery): readonly EndedDelivery[] {
  if (!answer || endedAt === undefined) return [];
  const { calls, lines } = delivery;
  const [line = {}] = lines;
  const lastPost = calls.findLastIndex(({ request }) => request.operation === 'create-backup');
  return [
    {
      ...delivery,
      answer,
      endedAt,
      ending: endingOf(answer),
      reason: typeof line.reason === 'string' ? line.reason : undefined,
      outcomeUnknown: line.outcome_unknown === true,
      lookedUpAt: calls[lastPost + 1]?.at,
    },
  ];
}

const posts = ({ calls }: Delivery) => calls.filter(({ request }) => request.operation === 'create-backup');

const idsOf = (effects: readonly Effect[]): string => effects.map(({ backup }) => backup.id).join() || 'none';

function nameIn(body: unknown): string | undefined {
  const { backup } = Object(body);
  const { name } = Object(backup);
  return typeof name === 'string' ? name : undefined;
}

/** The name of the attempt before, where it is a further attempt's. */
function predecessor(name = ''): string | undefined {
  const [, stem, attempt] = /^(.+-[a-z2-7]{14})-([2-5])$/.exec(name) ?? [];
  if (stem === undefined) return undefined;
  return attempt === '2' ? stem : `${stem}-${Number(attempt) - 1}`;
}

const hadFailed = ({ backup, ended }: Effect, at: number): boolean => backup.outcome === 'FAILED' && ended <= at;

const isRefusedForGood = ({ reason = '', lines: [line] }: EndedDelivery): boolean =>
  PERMANENT.includes(reason) && !AMBIGUOUS_CODES.includes(String(line?.dds_code));

const isRefusedForState = ({ reason, lines: [line] }: EndedDelivery): boolean =>
  reason === 'InstanceBusy' || AMBIGUOUS_CODES.includes(String(line?.dds_code));

/** Whether nothing might be submitted any more when it ended. */
const isLate = ({ notAfter = Number.POSITIVE_INFINITY, endedAt }: EndedDelivery): boolean => endedAt > notAfter;

/** How long a submission might have been retried. */
const timeLeft = ({ notAfter = Number.POSITIVE_INFINITY, endsBefore, endedAt }: EndedDelivery): number =>
  Math.min(endsBefore, notAfter) - endedAt;

/** Whether the list names the holder of the name, and DDS's clock leaves open whose it is. */
const isUndecided = ({ reason, lines: [line] }: EndedDelivery): boolean =>
  reason === 'OutcomeUnknown' && line?.backup !== undefined;

/** Whether the last look-up ended without the list. */
function isListUnread(delivery: EndedDelivery): boolean {
  const last = delivery.calls.at(-1);
  return last?.request.operation === 'list-backups' && (last.row !== undefined || isLost(last, delivery));
}

/** Whether the caller did not learn what came of a call. */
function isLost(call: Call, { calls, endedAt }: EndedDelivery): boolean {
  if (call.answeredAt === undefined) return call.row?.outcome === 'lost';
  const next = calls[calls.indexOf(call) + 1]?.at ?? endedAt;
  return call.answeredAt > Math.min(next, call.at + MAX_ATTEMPT_MILLIS);
}

const statesTime = ({ source }: PlannedEvent): boolean =>
  ['plain-request', 'event-bus', 'invoke-with-time'].includes(source);

/**
 * Whether a delivery must take a backup of the event for its own: it began before the look-up, has not FAILED, and
 * - under a derived name with a time: always; without: the first attempt began within the day before this delivery
 * - under a given name: this delivery made it, or it began at or after the time of the event, or else this delivery
 */
const isOwn =
  (
    event: PlannedEvent,
    { startedAt, endedAt, statedAt, lookedUpAt = endedAt, calls }: EndedDelivery,
    [first]: readonly Effect[],
  ) =>
  (effect: Effect): boolean => {
    if (effect.began >= lookedUpAt || hadFailed(effect, endedAt)) return false;
    if (event.backup.name === undefined)
      return statesTime(event) || (first ?? effect).began >= startedAt - DAY + TOLERANCE_MILLIS;
    const since = statesTime(event) ? statedAt : startedAt;
    return effect.began >= since || calls.some(({ request }) => request.tookEffect);
  };

/** Whether a look-up after a refusal for the instance's state reaches back to the backup: to the day before the trigger. */
const isRecent =
  (event: PlannedEvent, { startedAt, statedAt }: EndedDelivery) =>
  ({ began }: Effect): boolean =>
    began >= Math.min(startedAt, statesTime(event) ? statedAt : startedAt) - DAY + TOLERANCE_MILLIS;

/** Whether the log line says what the answer says. */
function agrees({ ending, reason, lines: [line = {}] }: EndedDelivery): boolean {
  if (ending.kind === 'success') {
    const event = ending.jobId === undefined ? 'request.replayed' : 'request.accepted';
    return line.event === event && line.backup_id === ending.backupId && line.job_id === ending.jobId;
  }
  return (
    ending.kind === 'failure' &&
    reason === ending.reason &&
    ['request.rejected', 'request.failed'].includes(String(line.event))
  );
}
