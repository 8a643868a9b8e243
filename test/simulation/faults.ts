/** The faults that are injected into calls at DDS. A further one is one more row of `FAULTS`. */
import type { ControlAction } from '../../emulator/dds/control.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import type { Chance } from './chance.ts';

export interface FaultRow {
  /** What the figures call it. */
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /**
   * What the caller learns of the effect of the call. `refused`: that it had none. `lost`: nothing. `late`: nothing if it
   * has given up by then. `misled`: that it had none, which is wrong. `shifted`: all; something else changes meanwhile.
   */
  readonly outcome: 'refused' | 'lost' | 'late' | 'misled' | 'shifted';
  /** Only requests of this operation. */
  readonly operation?: RecordedRequest['operation'];
  readonly make: (draw: Chance) => Fault;
}

/** Seconds. */
const MAX_RETRY_AFTER_SECONDS = 20;
/** An attempt is given up after ten seconds, and an invocation ends after 29 or 60. */
const LATE_MILLIS = { from: 9_000, to: 70_000 };

type When = 'before' | 'after';

/** Seconds, more than any invocation has, and what makes no sense. */
const retryAfter = (draw: Chance): { headers?: { 'retry-after': string } } => {
  if (!draw.happens(0.3)) return {};
  const seconds = String(draw.whole(0, MAX_RETRY_AFTER_SECONDS));
  const text = draw.pick([seconds, seconds, seconds, '86400', '-5', 'soon', 'Sun, 06 Nov 1994 08:49:37 GMT']);
  return { headers: { 'retry-after': text } };
};

const error =
  (name: keyof typeof refusals, when: When = 'before') =>
  (draw: Chance): Fault => ({ kind: 'error', ...refusals[name], when, ...retryAfter(draw) });

/** An answer without JSON, as a proxy gives it. */
const bare =
  (statuses: readonly number[], when?: When) =>
  (draw: Chance): Fault => ({
    kind: 'answer',
    status: draw.pick(statuses),
    text: draw.pick(['', '<html><h1>Sorry</h1></html>', 'no']),
    when: when ?? eitherWay(draw),
    ...retryAfter(draw),
  });

const late =
  (when: When) =>
  (draw: Chance): Fault => ({ kind: 'delay', when, millis: draw.between(LATE_MILLIS.from, LATE_MILLIS.to) });

const html =
  (when: When) =>
  (draw: Chance): Fault => ({ kind: 'html', status: draw.pick([200, 502, 503]), when });

const eitherWay = (draw: Chance): When => draw.pick(['before', 'after']);

/** JSON that the reference does not promise. */
const UNDOCUMENTED: readonly unknown[] = [
  ...[null, [], {}, 7],
  ...[{ job_id: 1 }, { backup_id: 'x' }, { backups: {} }, { total_count: 0 }, { backups: [null] }],
];

const LOST: readonly Omit<FaultRow, 'outcome'>[] = [
  { weight: 4, name: 'reset before the effect', make: () => ({ kind: 'reset', when: 'before' }) },
  { weight: 4, name: 'reset after the effect', make: () => ({ kind: 'reset', when: 'after' }) },
  { weight: 3, name: 'no answer, before the effect', make: () => ({ kind: 'hang', when: 'before' }) },
  { weight: 3, name: 'no answer, after the effect', make: () => ({ kind: 'hang', when: 'after' }) },
  { weight: 2, name: '500', make: error('serverError') },
  { weight: 2, name: '500 after the effect', make: error('serverError', 'after') },
  { weight: 3, name: 'truncated', make: () => ({ kind: 'truncated' }) },
  { weight: 1, name: 'stalled half-way', make: () => ({ kind: 'stall' }) },
  { weight: 1, name: 'HTML instead of JSON', make: html('before') },
  { weight: 1, name: 'HTML instead of JSON after the effect', make: html('after') },
  { weight: 1, name: 'empty', make: (draw) => ({ kind: 'empty', when: eitherWay(draw) }) },
  {
    weight: 1,
    name: 'undocumented JSON',
    make: (draw) => ({
      kind: 'json',
      status: draw.pick([200, 202]),
      body: draw.pick(UNDOCUMENTED),
      when: eitherWay(draw),
    }),
  },
  {
    weight: 1,
    name: '200 with an error code and ids',
    operation: 'create-backup',
    make: () => ({
      kind: 'json',
      body: { error_code: 'DBS.280005', error_msg: 'Server error.', job_id: 'job', backup_id: 'backup' },
      when: 'before',
    }),
  },
  { weight: 1, name: '5xx without JSON', make: bare([500, 502, 503, 504]) },
  { weight: 1, name: '404 without JSON', make: bare([400, 404], 'before') },
  {
    weight: 1,
    name: 'redirect',
    make: (draw) => ({ kind: 'redirect', location: 'https://dds.example.com/', when: eitherWay(draw) }),
  },
  { weight: 0.05, name: 'endless', make: (draw) => ({ kind: 'endless', when: eitherWay(draw) }) },
];

const REFUSED: readonly Omit<FaultRow, 'outcome'>[] = [
  { weight: 2, name: '429 of DDS', make: error('tooManyCalls') },
  { weight: 1, name: '429 of the gateway', make: error('throttled') },
  { weight: 2, name: '400 system busy', make: error('systemBusy') },
  { weight: 2, name: '403 busy instance', operation: 'create-backup', make: error('instanceBusy') },
  { weight: 1, name: '403 invalid request, ambiguous', operation: 'create-backup', make: error('invalidRequest') },
  { weight: 1, name: '400 not permitted, ambiguous', operation: 'create-backup', make: error('notPermitted') },
  { weight: 1, name: '429 without JSON', make: bare([429], 'before') },
  { weight: 0.5, name: '401 or 403 without JSON', make: bare([401, 403], 'before') },
  { weight: 0.5, name: '408, 409 or 425', operation: 'create-backup', make: bare([408, 409, 425], 'before') },
  { weight: 0.5, name: 'no permission', make: (draw) => error(draw.pick(PERMISSION_ERRORS))(draw) },
];

const PERMISSION_ERRORS = [
  ...(['authenticationFailed', 'notOwner', 'permissionDenied280015', 'accountSuspended'] as const),
  ...(['permissionDenied', 'permissionDenied280063', 'incorrectAuthentication', 'accessDenied'] as const),
];

export const FAULTS: readonly FaultRow[] = [
  ...LOST.map((row) => ({ ...row, outcome: 'lost' as const })),
  ...REFUSED.map((row) => ({ ...row, outcome: 'refused' as const })),
  { weight: 2, name: 'late effect and answer', outcome: 'late', make: late('before') },
  { weight: 2, name: 'late answer', outcome: 'late', make: late('after') },
  { weight: 1, name: '400 system busy after the effect', outcome: 'misled', make: error('systemBusy', 'after') },
];

/** What others do between two pages of a list: `Others` does it. */
const SHIFTS: readonly Omit<FaultRow, 'make'>[] = [
  { weight: 1, name: 'a backup comes between two pages', outcome: 'shifted', operation: 'list-backups' },
  { weight: 1, name: 'a backup goes between two pages', outcome: 'shifted', operation: 'list-backups' },
];

/** All that a simulation may inject. */
export const ROWS: readonly Omit<FaultRow, 'make'>[] = [...FAULTS, ...SHIFTS];

/** What others do, as actions of the control. */
export interface Others {
  readonly come: (request: RecordedRequest) => ControlAction;
  /** Undefined where there is no backup of theirs any more. */
  readonly go: (request: RecordedRequest) => ControlAction | undefined;
  /** How likely it is that something comes or goes between two pages. */
  readonly rate: number;
}

export interface Injected {
  /** Undefined where nothing goes wrong. */
  readonly row: Omit<FaultRow, 'make'> | undefined;
  readonly fault: Fault | undefined;
}

/**
 * @param faultRate how likely a fault is
 * @param maxDelayMillis of what goes well
 */
export function injectedFault(
  request: RecordedRequest,
  faultRate: number,
  draw: Chance,
  others: Others,
  maxDelayMillis = 800,
): Injected {
  const { operation } = request;
  if (draw.happens(faultRate)) {
    const rows = FAULTS.filter((row) => row.operation === undefined || row.operation === operation);
    const row = draw.weighted(rows.map((candidate) => [candidate.weight, candidate]));
    return { row, fault: row.make(draw) };
  }
  if (operation === 'list-backups' && draw.happens(others.rate)) {
    const [comes, goes] = SHIFTS;
    const action = draw.happens(0.6) ? others.go(request) : undefined;
    return {
      row: action ? goes : comes,
      fault: { kind: 'control', when: eitherWay(draw), actions: [action ?? others.come(request)] },
    };
  }
  // The way to DDS and back takes time, so that deliveries meet there in any order.
  const when = eitherWay(draw);
  const fault: Fault = { kind: 'delay', millis: draw.between(1, maxDelayMillis), when };
  return { row: undefined, fault: draw.happens(0.7) ? fault : undefined };
}

/**
 * Of a search for an instance, which asks all projects at once: only what is not retried, since a process waits for one
 * thing at a time.
 */
export function injectedWhileSearching(faultRate: number, draw: Chance): Injected {
  if (!draw.happens(faultRate / 2)) return { row: undefined, fault: undefined };
  const row = REFUSED.find(({ name }) => name === 'no permission');
  return row ? { row: { ...row, outcome: 'refused' }, fault: row.make(draw) } : { row: undefined, fault: undefined };
}
