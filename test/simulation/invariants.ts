/**
 * What must hold at the end of a simulation, checked against the state of DDS and not against what the functions believe.
 * The rules of the design are written out once more: the code is under test.
 */
import { isDeepStrictEqual } from 'node:util';
import { projectOf, skewOf } from './conditions.ts';
import { type Ending, endingOf, endingOfExecution, TRAILER } from './ending.ts';
import { type PlannedEvent, statesTime } from './events.ts';
import { type Call, type Delivery, type History, nameIn } from './history.ts';
import { diedAt, type Effect, hadFailed, isAlive, statusAt } from './ledger.ts';

export interface Violation {
  readonly invariant: string;
  readonly event: PlannedEvent;
  readonly found: string;
  readonly deliveries: readonly Delivery[];
}

/** An event, all its deliveries and the backups that began for it. */
interface Case {
  readonly event: PlannedEvent;
  /** Executions of `deferred` included. */
  readonly deliveries: readonly EndedDelivery[];
  readonly unended: readonly Delivery[];
  /** One for each POST that took effect, whichever delivery sent it and whether or not its answer arrived, in order. */
  readonly effects: readonly Effect[];
  /** All backups that ever had a name in the event's project, whichever event they are for. */
  readonly holdersOf: (name: string | undefined) => readonly Effect[];
  readonly history: History;
}

interface EndedDelivery extends Delivery {
  readonly endedAt: number;
  readonly ending: Ending;
  /** From the last log line. */
  readonly reason: string | undefined;
  readonly outcomeUnknown: boolean;
  /** When the last look-up in the list began. */
  readonly lookedUpAt: number | undefined;
  /** The first delivery of the trigger that it knows of. */
  readonly since: number;
}

const DAY = 24 * 60 * 60 * 1000;
const MINUTE = 60_000;
/** DDS tells times, and its clock, to the second. */
const TOLERANCE_MILLIS = 2000;
const MAX_ATTEMPT_MILLIS = 10_000;
const HOUR = 60 * MINUTE;
const MAX_TRIGGER_AGE = 31 * DAY;
/** How long after the deadline an execution may end: the last attempt, and publishing four times. */
const MAX_OVERTIME = 5 * MINUTE;
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
/** The reserve, the longest backoff and the shortest attempt. */
const MAX_PAUSE_MILLIS = 1000 + 5000 + 250;
/** Kept for handing a request over. */
const HANDOVER_MILLIS = 5000;

/** Refusals for the state of the instance, or perhaps for it. */
const AMBIGUOUS_CODES = ['DBS.280042', 'DBS.212003'];
const AMBIGUOUS_STATUSES = [408, 409, 425];
const PERMANENT = [
  'BackupNameTaken',
  'BackupFailed',
  'DeadlinePassed',
  'DdsRejected',
  'InstanceNotFound',
  'InvalidRequest',
];

const NAME_TAKEN = 'DBS.201201';
const BUSY = 'DBS.201015';

type Invariant = (subject: Case) => readonly string[];

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'at most one backup of a trigger is BUILDING or COMPLETED, unless a FAILED one was deleted by hand': ({ effects }) =>
    effects.some(lostByHandAfterFailing)
      ? []
      : effects.slice(1).flatMap((effect, index) => {
          const before = effects[index];
          return before && diedAt(before) <= effect.began
            ? []
            : [`${effect.name} began while ${before?.name} was BUILDING or COMPLETED`];
        }),

  'a further attempt is submitted only after the one before it FAILED': ({ deliveries, holdersOf }) =>
    deliveries.flatMap(posts).flatMap(({ at, request }) => {
      const name = nameIn(request.body);
      const earlier = predecessor(name);
      return earlier === undefined || holdersOf(earlier).some((holder) => hadFailed(holder, at))
        ? []
        : [`${name} was submitted and ${earlier} had not FAILED`];
    }),

  'a success names a backup of the trigger that is BUILDING or COMPLETED': ({ deliveries, effects, history }) =>
    deliveries.flatMap(({ ending, lookedUpAt, startedAt }) => {
      if (ending.kind !== 'success') return [];
      const named = effects.find(({ id }) => id === ending.backupId);
      if (!named) return [`${ending.backupId} was reported, and the trigger has ${idsOf(effects)}`];
      // Between the look-up, or what the list shows at it, and the answer it may have ended.
      const seenAt = (lookedUpAt ?? startedAt) - lagOf(history);
      const wasAlive = named.began >= seenAt || isAlive(statusAt(named, seenAt));
      return wasAlive ? [] : [`${ending.backupId} was reported and was ${statusAt(named, seenAt)}`];
    }),

  'a job_id is that of one backup': ({ deliveries }) => {
    const pairs = deliveries.flatMap(({ ending }) =>
      ending.kind === 'success' && ending.jobId !== undefined ? [[ending.jobId, ending.backupId] as const] : [],
    );
    return new Map(pairs).size < new Set(pairs.map(String)).size ? [`reported ${pairs}`] : [];
  },

  'no permanent refusal while a backup of the trigger is listed': ({ event, deliveries, effects, history }) =>
    deliveries
      .filter(isRefusedForGood)
      .filter((delivery) => {
        const own = effects.filter(isOwn(event, delivery, effects, history));
        // Past the deadline there is one look-up, as after a refusal for the state of the instance.
        return own.some((effect) => delivery.reason !== 'DeadlinePassed' || isRecent(event, delivery)(effect));
      })
      .map(({ reason }) => `${reason} although ${idsOf(effects)} was there`),

  'nothing is submitted after the deadline': (subject) =>
    subject.deliveries
      .flatMap((delivery) => posts(delivery).filter(({ at }) => Math.floor(at) > deadlineOf(subject, delivery)))
      .map(({ at }) => `a POST at ${new Date(at).toISOString()}`),

  'no refusal for the state of the instance while the list shows a backup of the trigger': ({
    event,
    deliveries,
    effects,
    history,
  }) =>
    deliveries
      // Where a FAILED attempt was deleted by hand, its name is looked at and not that of the next one.
      .filter(() => !effects.some(lostByHandAfterFailing))
      .filter((delivery) => isRefusedForState(delivery) && !isListUnread(delivery))
      .filter((delivery) => effects.filter(isOwn(event, delivery, effects, history)).some(isRecent(event, delivery)))
      .map(({ reason }) => `${reason} although ${idsOf(effects)} was listed`),

  'an unknown outcome follows a lost answer, or a refusal whose cause the list does not tell': (subject) =>
    subject.deliveries
      .filter(({ reason }) => reason === 'OutcomeUnknown')
      .filter((delivery) => !isUnknownForReason(delivery, subject))
      .map(() => 'OutcomeUnknown although every answer arrived and the list was read'),

  'a failure with a known outcome has made no backup': ({ event, deliveries, effects, holdersOf, history }) =>
    deliveries
      .filter(({ ending, outcomeUnknown }) => ending.kind === 'failure' && !outcomeUnknown)
      .flatMap((delivery) =>
        delivery.calls
          .filter(({ request, row }) => request.tookEffect && row?.outcome !== 'misled')
          .flatMap(({ request }) => effects.filter((effect) => effect.request === request))
          .filter((effect) => diedAt(effect) > delivery.endedAt)
          // A request on its way finds the name free once what had it is deleted by hand.
          .filter((effect) => effect.began <= delivery.endedAt || !wasTaken(effect, holdersOf, delivery))
          // Where DDS's answers show another clock than that of its backups, they seem to have begun before.
          .filter((effect) => shownBegin(effect, history) >= earliestOwn(event, delivery))
          .map(({ id }) => `${delivery.reason} although it made ${id}`),
      ),

  'a derived name is taken by its own trigger only': ({ event, deliveries, effects }) =>
    event.backup.name === undefined && effects.length === 0
      ? deliveries
          .flatMap(posts)
          .filter(({ request }) => request.errorCode === NAME_TAKEN)
          .map(() => 'the name was taken, and not by this trigger')
      : [],

  'every delivery ends before its deadline': (subject) =>
    subject.deliveries.flatMap((delivery) => {
      const { waitsUntil, startedAt, endedAt, endsBefore } = delivery;
      if (endedAt > endsBefore - GUARD_MILLIS) return [`it ended ${endsBefore - endedAt} ms before the platform would`];
      const latest = Math.max(retriedUntil(subject, delivery), startedAt) + MAX_OVERTIME;
      return waitsUntil !== undefined && endedAt > latest
        ? [`it ended ${Math.round(endedAt - latest)} ms too late`]
        : [];
    }),

  'what may pass is retried while there is time': (subject) =>
    subject.deliveries
      .filter(({ waitsUntil, reason = '' }) => waitsUntil === undefined && TRANSIENT.includes(reason))
      // A list that our key may not read is not read again, and what was handed over is not tried again here.
      .filter((delivery) => posts(delivery).length > 0 && !isUndecided(delivery) && !isListUnread(delivery))
      .filter(({ handover }) => handover === undefined)
      .filter((delivery) => delivery.reason !== 'OutcomeUnknown' || isLookedUpAgain(delivery))
      .filter((delivery) => timeLeft(subject, delivery) > longestPause(delivery))
      .map((delivery) => `${delivery.reason} with ${Math.round(timeLeft(subject, delivery))} ms left`),

  'what is not decided is retried until the deadline, by deferred or inside the invocation': (subject) =>
    subject.deliveries
      .filter(({ waitsUntil, ending }) => waitsUntil !== undefined && ending.kind === 'failure')
      .filter((delivery) => !isRefusedForGood(delivery) && delivery.endedAt < retriedUntil(subject, delivery) - MINUTE)
      // A refusal that may be for the state of the instance is retried for an hour.
      .filter((delivery) => !(isAmbiguous(delivery) && delivery.endedAt >= delivery.since + 59 * MINUTE))
      .map((delivery) => `${delivery.reason} at ${new Date(delivery.endedAt).toISOString()}`),

  'the end of what is retried is published, or logged as not published': ({ deliveries }) =>
    deliveries
      .filter(({ waitsUntil }) => waitsUntil !== undefined)
      .flatMap(({ before, ending, published, lines }) => {
        const count = (type: string) => published.filter((event) => event.type === type).length;
        const unpublished = lines.filter(({ event }) => event === 'publish.failed').length;
        const attempts = before ? 4 : 1;
        return [
          ...(count('DDS Backup Request Deferred') > 1 ? ['published twice that it was deferred'] : []),
          ...(ending.kind === 'failure' && count('DDS Backup Request Failed') !== 1 && unpublished < attempts
            ? ['failed without an event']
            : []),
          ...(ending.kind === 'success' && count('DDS Backup Request Failed') > 0 ? ['published a failure'] : []),
        ];
      }),

  'a request that http queued, or may have queued, is answered so': ({ deliveries }) =>
    deliveries.flatMap(({ handover, ending, reason }) => {
      const isRight =
        handover === undefined
          ? ending.kind !== 'deferred'
          : handover === 'queued'
            ? ending.kind === 'deferred'
            : reason === 'OutcomeUnknown';
      return isRight ? [] : [`the handover is ${handover ?? 'not made'} and the end ${JSON.stringify(ending)}`];
    }),

  'every delivery ends in a documented answer': ({ deliveries, unended }) => [
    ...unended.map(() => 'a delivery never ended'),
    ...deliveries.flatMap(({ ending }) => (ending.kind === 'undocumented' ? [ending.what] : [])),
  ],

  'every delivery leaves one log line, which says the same as the answer': ({ deliveries }) =>
    deliveries
      .filter(({ before }) => before === undefined)
      .flatMap((delivery) => {
        const onTheWay = [
          'secret.stale',
          ...(delivery.waitsUntil === undefined ? [] : ['request.deferred', 'publish.failed']),
        ];
        const lines = delivery.lines.filter(({ event }) => !onTheWay.includes(String(event)));
        return lines.length === 1 && agrees(delivery) ? [] : [`logged ${JSON.stringify(lines)}`];
      }),

  'an error of Lambda says what deferred has to know': ({ deliveries, history }) =>
    deliveries.flatMap(({ answer }) => {
      if (history.conditions.platform !== 'aws' || answer?.kind !== 'thrown') return [];
      return TRAILER.test(String(answer.error)) ? [] : [`threw ${answer.error}`];
    }),

  'DDS is asked for what the event asks for, under the names of the trigger, in its project': ({
    event,
    deliveries,
    history,
  }) => {
    const all = deliveries.flatMap(posts);
    const asked = all.map(({ request }) => request.body);
    const project = projectOf(history.conditions, event.backup.instance_id);
    const { name, name_prefix = '', ...rest } = event.backup;
    const isWanted = (body: unknown) => isDeepStrictEqual(body, { backup: { ...rest, name: name ?? nameIn(body) } });
    const derived = new RegExp(`^(${name_prefix}-(?:\\d{8}T\\d{6}Z-)?[a-z2-7]{14})(?:-[2-5])?$`);
    const stems = asked.map((body) => (name === undefined ? derived.exec(nameIn(body) ?? '')?.[1] : name));
    return [
      ...asked.filter((body) => !isWanted(body)).map((body) => `asked for ${JSON.stringify(body)}`),
      ...(stems.includes(undefined) ? [`asked under ${asked.map(nameIn)}`] : []),
      ...(new Set(stems).size > 1 ? [`asked under names of several triggers: ${[...new Set(stems)]}`] : []),
      ...all.filter(({ request }) => request.project !== project).map(() => `asked outside of ${project}`),
    ];
  },
};

export function violations(history: History): readonly Violation[] {
  const { events, deliveries, effects, conditions } = history;
  const byEvent = Map.groupBy(deliveries, ({ event }) => event);
  const byName = Map.groupBy(effects, ({ project, name }) => `${project} ${name}`);
  const byRequest = new Map(effects.map((effect) => [effect.request, effect]));

  return events.flatMap((event) => {
    const all = byEvent.get(event) ?? [];
    const project = projectOf(conditions, event.backup.instance_id);
    const subject: Case = {
      event,
      history,
      deliveries: all.flatMap(ended),
      unended: all.filter(({ endedAt }) => endedAt === undefined),
      effects: all
        .flatMap(posts)
        .flatMap(({ request }) => byRequest.get(request) ?? [])
        .sort((a, b) => a.began - b.began),
      holdersOf: (name) => byName.get(`${project} ${name}`) ?? [],
    };
    return Object.entries(INVARIANTS).flatMap(([invariant, check]) =>
      check(subject).map((found) => ({ invariant, event, found, deliveries: all })),
    );
  });
}

function ended({ endedAt, ...delivery }: Delivery): readonly EndedDelivery[] {
  const { answer, end, before, calls, startedAt } = delivery;
  const ending = end ? endingOfExecution(end) : answer && endingOf(answer);
  if (!ending || endedAt === undefined) return [];
  const line = lastLine(delivery);
  // An execution that makes no attempt passes on what the delivery before it found.
  const looked = before && calls.length === 0 ? before.calls : calls;
  const lastPost = looked.findLastIndex(({ request }) => request.operation === 'create-backup');
  return [
    {
      ...delivery,
      endedAt,
      ending,
      reason: typeof line.reason === 'string' ? line.reason : undefined,
      outcomeUnknown: line.outcome_unknown === true,
      lookedUpAt: looked[lastPost + 1]?.at,
      since: before?.startedAt ?? startedAt,
    },
  ];
}

const posts = ({ calls }: Pick<Delivery, 'calls'>) =>
  calls.filter(({ request }) => request.operation === 'create-backup');

const lastLine = ({ lines }: Delivery) => lines.findLast(({ event }) => String(event).startsWith('request.')) ?? {};

const idsOf = (effects: readonly Effect[]): string => effects.map(({ id }) => id).join() || 'none';

const lagOf = ({ conditions: { emulator } }: History): number => emulator.listLagMillis ?? 0;

/** The name of the attempt before, where it is a further attempt's. */
function predecessor(name = ''): string | undefined {
  const [, stem, attempt] = /^(.+-[a-z2-7]{14})-([2-5])$/.exec(name) ?? [];
  if (stem === undefined) return undefined;
  return attempt === '2' ? stem : `${stem}-${Number(attempt) - 1}`;
}

/** Whether another backup had its name during a delivery. */
const wasTaken = (effect: Effect, holdersOf: Case['holdersOf'], { startedAt, endedAt }: EndedDelivery): boolean =>
  holdersOf(effect.name).some((holder) => {
    const { at: goneAt = Number.POSITIVE_INFINITY } = holder.changes.find(({ status }) => status === 'GONE') ?? {};
    return holder !== effect && holder.began <= endedAt && goneAt >= startedAt;
  });

/** Then its name was free again while a further attempt's backup may have been there. */
const lostByHandAfterFailing = ({ changes, ...effect }: Effect): boolean =>
  changes.some(({ status, at }) => status === 'GONE' && hadFailed({ ...effect, changes }, at));

const isAmbiguous = (delivery: EndedDelivery): boolean => {
  const { reason, dds_code, dds_status } = lastLine(delivery);
  return (
    reason === 'DdsRejected' &&
    (AMBIGUOUS_CODES.includes(String(dds_code)) || AMBIGUOUS_STATUSES.includes(Number(dds_status)))
  );
};

const isRefusedForGood = (delivery: EndedDelivery): boolean =>
  PERMANENT.includes(delivery.reason ?? '') && !isAmbiguous(delivery);

const isRefusedForState = (delivery: EndedDelivery): boolean =>
  delivery.reason === 'InstanceBusy' || isAmbiguous(delivery);

type Deadlines = Pick<EndedDelivery, 'notAfter' | 'since' | 'statedAt' | 'waitsUntil'>;

const maxAgeOf = ({ conditions }: History): number => conditions.maxRequestAgeHours * HOUR;

/** When what is retried is given up. */
const retriedUntil = (subject: Case, delivery: Deadlines): number =>
  Math.min(deadlineOf(subject, delivery), delivery.waitsUntil ?? Number.POSITIVE_INFINITY);

/** The last moment at which something may be submitted. */
function deadlineOf({ event, history }: Case, { notAfter, since, statedAt }: Deadlines): number {
  const ends = [since + maxAgeOf(history)];
  if (notAfter !== undefined) ends.push(notAfter);
  if (statesTime(event.source)) ends.push(statedAt + maxAgeOf(history) + DAY);
  return Math.min(...ends);
}

/** How long a submission might have been retried. */
const timeLeft = (subject: Case, delivery: EndedDelivery): number =>
  Math.min(delivery.endsBefore - (subject.event.isAsync ? HANDOVER_MILLIS : 0), deadlineOf(subject, delivery)) -
  delivery.endedAt;

/** Whether the last refusal is one that the list may explain a little later: then DDS is asked again. */
const isLookedUpAgain = (delivery: EndedDelivery): boolean =>
  [NAME_TAKEN, BUSY].includes(posts(delivery).at(-1)?.request.errorCode ?? '');

/** The longest pause that DDS asked for counts: one that does not fit ends the retries. */
const longestPause = ({ calls }: EndedDelivery): number =>
  MAX_PAUSE_MILLIS +
  Math.max(
    0,
    ...calls.map(({ fault }) => {
      const { headers } = Object(fault);
      const seconds = Number(Object(headers)['retry-after']);
      return seconds > 0 ? seconds * 1000 : 0;
    }),
  );

/** Whether the list names the holder of the name, and DDS's clock leaves open whose it is. */
const isUndecided = (delivery: EndedDelivery): boolean =>
  delivery.reason === 'OutcomeUnknown' && lastLine(delivery).backup !== undefined;

/** Whether the last look-up ended without the list. */
function isListUnread(delivery: EndedDelivery): boolean {
  const last = delivery.calls.at(-1);
  if (last?.request.operation !== 'list-backups') return false;
  const isFaulty = last.row !== undefined && last.row.outcome !== 'shifted';
  return isFaulty || last.request.errorCode !== undefined || isLost(last, delivery);
}

/** Whether the caller did not learn what came of a call. */
function isLost(call: Call, { calls, endedAt }: Pick<EndedDelivery, 'calls' | 'endedAt'>): boolean {
  if (call.answeredAt === undefined) return call.row?.outcome === 'lost';
  const next = calls[calls.indexOf(call) + 1]?.at ?? endedAt;
  return call.answeredAt > Math.min(next, call.at + MAX_ATTEMPT_MILLIS);
}

/** Whether an unknown outcome is called for. */
function isUnknownForReason(delivery: EndedDelivery, subject: Case): boolean {
  const { event, holdersOf, history } = subject;
  if (delivery.handover === 'unknown') return true;
  if (isUndecided(delivery)) return isOpen(event, delivery, history);
  // What an attempt before left open stays so until the list explains it.
  const linesBefore = [...(delivery.before?.lines ?? []), ...delivery.lines.slice(0, -1)];
  if (linesBefore.some(({ outcome_unknown }) => outcome_unknown === true)) return true;
  const earlier = delivery.before ? [delivery.before, delivery] : [delivery];
  const all = earlier.flatMap(posts);
  const calls = earlier.flatMap((each) => each.calls);
  if (all.some((call) => isLost(call, { calls, endedAt: delivery.endedAt }))) return true;
  const isLate = delivery.endedAt > deadlineOf(subject, delivery);
  const wasTaken = posts(delivery).filter(({ request }) => request.errorCode === NAME_TAKEN);
  if ((wasTaken.length > 0 || isLate) && isListUnread(delivery)) return true;
  // A listed record that cannot be read may be the backup.
  if (isLate && calls.some(({ row }) => row?.name === 'undocumented JSON')) return true;
  // What has the name does not show yet, or shows no more.
  const seenAt = (delivery.lookedUpAt ?? delivery.endedAt) - lagOf(history);
  return wasTaken.some(({ request }) => {
    const holders = holdersOf(nameIn(request.body));
    return !holders.some((holder) => holder.began < seenAt && statusAt(holder, delivery.endedAt) !== 'GONE');
  });
}

/** How far an estimate of DDS's clock may be off: by a second, by the longest attempt, and by how times are cut. */
const MAX_UNCERTAINTY = MAX_ATTEMPT_MILLIS + 4000;
const MAX_SKEW = 15 * MINUTE + MAX_UNCERTAINTY;

/** Whether DDS's clock leaves open on which side of the moment that counts the holder of the name began. */
function isOpen(event: PlannedEvent, delivery: EndedDelivery, history: History): boolean {
  const { backup } = lastLine(delivery);
  const holder = history.effects.find(({ id }) => id === Object(backup).id);
  const { timeFormat, dateHeader = true } = history.conditions.emulator;
  if (timeFormat === 'null') return true;
  if (!holder) return false;
  const begin = dateHeader ? shownBegin(holder, history) : holder.began + skewOf(history.conditions).backups;
  const distance = Math.abs(begin - earliestOwn(event, delivery));
  return distance <= (dateHeader ? MAX_UNCERTAINTY : MAX_SKEW);
}

/** When a backup began, as DDS's clock shows it. */
function shownBegin({ began }: Effect, { conditions }: History): number {
  const { backups, shown } = skewOf(conditions);
  return began + backups - shown;
}

/** The moment from which a backup under the trigger's name counts as its own. */
function earliestOwn(event: PlannedEvent, { since, statedAt }: EndedDelivery): number {
  if (event.backup.name === undefined) return statesTime(event.source) ? Number.NEGATIVE_INFINITY : since - DAY;
  return Math.max(statesTime(event.source) ? Math.min(statedAt, since) : since, since - MAX_TRIGGER_AGE);
}

/**
 * Whether a delivery must take a backup of the event for its own: the list showed it at the look-up, it is BUILDING or
 * COMPLETED until the end, and
 * - under a derived name with a time: always; without: the first attempt began within the day before this delivery
 * - under a given name: it began at or after the time of the event, or else its first delivery
 */
const isOwn =
  (event: PlannedEvent, delivery: EndedDelivery, [first]: readonly Effect[], history: History) =>
  (effect: Effect): boolean => {
    const { endedAt, lookedUpAt = endedAt } = delivery;
    if (effect.began + lagOf(history) >= lookedUpAt || diedAt(effect) <= endedAt) return false;
    const judged = event.backup.name === undefined ? (first ?? effect) : effect;
    const tolerance = event.backup.name === undefined ? TOLERANCE_MILLIS : 0;
    return shownBegin(judged, history) >= earliestOwn(event, delivery) + tolerance;
  };

/** Whether a look-up after a refusal for the instance's state reaches back to the backup: to the day before the trigger. */
const isRecent =
  (event: PlannedEvent, { since, statedAt }: EndedDelivery) =>
  ({ began }: Effect): boolean =>
    began >= Math.min(since, statesTime(event.source) ? statedAt : since) - DAY + TOLERANCE_MILLIS;

/** Whether the log line says what the answer says. */
function agrees({ ending, reason, ...delivery }: EndedDelivery): boolean {
  const line = lastLine(delivery);
  switch (ending.kind) {
    case 'success': {
      const event = ending.jobId === undefined ? 'request.replayed' : 'request.accepted';
      return line.event === event && line.backup_id === ending.backupId && line.job_id === ending.jobId;
    }
    case 'deferred':
      return line.event === 'request.deferred' && String(line.name).startsWith(ending.name);
    case 'failure':
      return reason === ending.reason && ['request.rejected', 'request.failed'].includes(String(line.event));
    case 'undocumented':
      return false;
  }
}
