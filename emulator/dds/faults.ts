/**
 * What can be made to go wrong, for tests. Faults apply only to requests that the gateway has let through: a fault never
 * hides a wrong signature.
 */
import type { ControlAction } from './control.ts';
import type { Refusal } from './refusals.ts';
import type { RecordedRequest } from './request-log.ts';
import type { OperationName } from './routes.ts';

/** `before`: the operation is never carried out. `after`: it is, with all its checks, and its answer is lost. */
export type When = 'before' | 'after';

/** Where `when` may be left out, it is `before`. */
export type FaultEffect =
  /** The connection is reset (RST). */
  | { readonly kind: 'reset'; readonly when: When }
  /** No answer ever comes; the connection stays open until the caller or `close()` ends it. */
  | { readonly kind: 'hang'; readonly when: When }
  /**
   * The real answer, late. `before`: the wait comes first, and the operation is carried out at its end even if the
   * caller has given up by then.
   */
  | { readonly kind: 'delay'; readonly millis: number; readonly when?: When }
  /** Any refusal, `{ kind: 'error', ...refusals.systemBusy, headers: { 'retry-after': '3' } }`. */
  | (Refusal & { readonly kind: 'error'; readonly when?: When })
  /** Any status, headers and text: what a proxy answers, no JSON, JSON with a member twice. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly text?: string;
      readonly when?: When;
    }
  /** Always after the effect: the real answer under another status, 202 for one. */
  | { readonly kind: 'status'; readonly status: number }
  /** Always after the effect: half of the real answer's bytes, then the connection is cut. */
  | { readonly kind: 'truncated' }
  /** Always after the effect: half of the real answer's bytes, then nothing more, on an open connection. */
  | { readonly kind: 'stall' }
  /** The page of some proxy instead of JSON. */
  | { readonly kind: 'html'; readonly status: number; readonly when?: When }
  /** JSON begins under status 200 and never ends. */
  | { readonly kind: 'endless'; readonly when?: When }
  /** No body; default status 200. */
  | { readonly kind: 'empty'; readonly status?: number; readonly when?: When }
  /** Any JSON, that the reference does not promise for instance; default status 200. */
  | { readonly kind: 'json'; readonly body: unknown; readonly status?: number; readonly when?: When }
  /** Default status 307. */
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number; readonly when?: When }
  /** The real answer, and something else happens before or after it: between two pages of a list, for one. */
  | { readonly kind: 'control'; readonly actions: readonly ControlAction[]; readonly when?: When };

/** Which requests a fault is for. */
export interface FaultScope {
  readonly operation?: OperationName;
  readonly project?: string;
}

export type Fault = FaultEffect & FaultScope;

export type Decide = (request: RecordedRequest) => Fault | undefined;

export interface Faults {
  /** Queues faults: each is applied once, to the first request that it fits, in the order given. */
  next(...faults: readonly Fault[]): void;
  /** Those still queued. */
  readonly pending: readonly Fault[];
  /** Asked for each request for which nothing fitting is queued. */
  decide: Decide | undefined;
  /** Forgets the queue and the standing function. */
  clear(): void;
}

/** The queue, with which tests add and from which the server takes. */
export interface FaultQueue {
  readonly faults: Faults;
  /** Queues faults, each of them several times. */
  repeat(faults: readonly Fault[], times: number): void;
  take(request: RecordedRequest): Fault | undefined;
}

export function faultQueue(): FaultQueue {
  let queue: { readonly fault: Fault; left: number }[] = [];
  const repeat = (more: readonly Fault[], times: number): void => {
    if (times > 0) queue.push(...more.map((fault) => ({ fault, left: times })));
  };
  const faults: Faults = {
    next: (...more) => repeat(more, 1),
    get pending() {
      return queue.map(({ fault }) => fault);
    },
    decide: undefined,
    clear: () => {
      queue = [];
      faults.decide = undefined;
    },
  };
  const take = (request: RecordedRequest): Fault | undefined => {
    const fits = ({ operation, project }: Fault): boolean =>
      (operation === undefined || operation === request.operation) &&
      (project === undefined || project === request.project);
    const queued = queue.find(({ fault }) => fits(fault));
    if (queued) {
      queued.left -= 1;
      if (queued.left === 0) queue = queue.filter((each) => each !== queued);
      return queued.fault;
    }
    const decided = faults.decide?.(request);
    return decided && fits(decided) ? decided : undefined;
  };
  return { faults, repeat, take };
}
