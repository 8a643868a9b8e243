/**
 * What can be made to go wrong, for tests. Only requests that the gateway has let through suffer faults: a fault never
 * hides a wrong signature.
 */
import type { Refusal } from './refusals.ts';
import type { RecordedRequest } from './request-log.ts';
import type { OperationName } from './routes.ts';

/** `before`: the operation is never carried out. `after`: it is, with all its checks, and its answer is lost. */
export type When = 'before' | 'after';

/** Where `when` may be left out, it is `before`. */
export type Mishap =
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
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number; readonly when?: When };

/** A mishap; with an operation named, for requests of that operation only. */
export type Fault = Mishap & { readonly operation?: OperationName };

export interface Faults {
  /** Queues faults: each is suffered once, by the first request that it fits, in the order given. */
  next(...faults: readonly Fault[]): void;
  /** Those still queued. */
  readonly pending: readonly Fault[];
  /** Asked for each request for which nothing fitting is queued. */
  decide: ((request: RecordedRequest) => Fault | undefined) | undefined;
  /** Forgets the queue and the standing function. */
  clear(): void;
}

/** The queue, and `take`, with which the server draws from it. */
export function faultQueue(): { readonly faults: Faults; take(request: RecordedRequest): Fault | undefined } {
  let queue: Fault[] = [];
  const faults: Faults = {
    next: (...more) => {
      queue.push(...more);
    },
    get pending() {
      return [...queue];
    },
    decide: undefined,
    clear: () => {
      queue = [];
      faults.decide = undefined;
    },
  };
  const take = (request: RecordedRequest): Fault | undefined => {
    const fits = ({ operation }: Fault): boolean => operation === undefined || operation === request.operation;
    const queued = queue.findIndex(fits);
    if (queued >= 0) return queue.splice(queued, 1)[0];
    const decided = faults.decide?.(request);
    return decided && fits(decided) ? decided : undefined;
  };
  return { faults, take };
}
