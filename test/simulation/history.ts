/** What a simulation leaves: all deliveries with all their calls, and what became of every backup. */
import type { DurableExecutionEnd } from '../../emulator/aws/durable-execution.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import type { BusEvent } from '../../lib/service/ports.ts';
import type { Conditions } from './conditions.ts';
import type { PlannedEvent } from './events.ts';
import type { Injected } from './faults.ts';
import type { Effect } from './ledger.ts';
import type { Line } from './log.ts';

export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, unknown>>;
      readonly body: unknown;
    }
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'thrown'; readonly error: unknown };

export interface Call {
  readonly at: number;
  readonly request: RecordedRequest;
  /** Undefined where nothing went wrong. */
  readonly row: Injected['row'];
  readonly fault: Fault | undefined;
  /** When the answer is sent, where it is held back. */
  readonly answeredAt: number | undefined;
}

/** A delivery of an event to its function, or the execution of `deferred` that goes on with it. */
export interface Delivery {
  readonly event: PlannedEvent;
  /** The delivery whose failure the execution goes on from. */
  readonly before?: Delivery;
  readonly startedAt: number;
  readonly statedAt: number;
  /** After this nothing may be submitted. */
  readonly notAfter: number | undefined;
  /** When the platform would have ended it. */
  readonly endsBefore: number;
  /** Until when it retries what is not decided; undefined for a single attempt. */
  readonly waitsUntil: number | undefined;
  endedAt?: number;
  answer?: Answer;
  /** Of an execution. */
  end?: DurableExecutionEnd;
  /** When the last late effect of its calls came about. */
  effectsUntil: number;
  readonly calls: Call[];
  readonly lines: Line[];
  readonly published: BusEvent[];
  /** Whether the request could be queued for `deferred`, as far as `http` learned. */
  handover?: 'queued' | 'unknown';
}

/** All deliveries, and what became of every backup. */
export interface History {
  readonly conditions: Conditions;
  readonly events: readonly PlannedEvent[];
  readonly deliveries: readonly Delivery[];
  readonly effects: readonly Effect[];
}

export function nameIn(body: unknown): string | undefined {
  const { backup } = Object(body);
  const { name } = Object(backup);
  return typeof name === 'string' ? name : undefined;
}
