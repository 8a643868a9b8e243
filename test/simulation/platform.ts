/** What a simulation asks of a platform, and what it gives to it. */
import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type { Publisher } from '../../lib/service/ports.ts';
import type { Chance } from './chance.ts';
import type { Conditions } from './conditions.ts';
import type { PlannedEvent } from './events.ts';
import type { Answer, Delivery } from './history.ts';
import type { Scheduler } from './scheduler.ts';

export interface Surroundings {
  /** Virtual time. Its label is the delivery that runs now; undefined for what is done by hand. */
  readonly time: Scheduler<Delivery | undefined>;
  readonly draw: Chance;
  readonly setting: Conditions;
  /** Of DDS. */
  readonly url: string;
  /** The access key, as JSON. */
  readonly secret: () => Promise<string>;
  readonly publish: Publisher;
}

export interface Moment {
  readonly now: Date;
  /** The time that the event states, where it states one: the same in all its deliveries. */
  readonly stated: Date;
  readonly notAfter: Date | undefined;
  /** New in every delivery. */
  readonly requestId: string;
  readonly remainingMillis: () => number;
}

export interface Delivered {
  readonly answer: Answer;
  /** What the platform hands on where the delivery failed; undefined where it hands on nothing. */
  readonly record?: unknown;
}

/** The functions of a platform, as a cold start makes them. */
export interface Functions {
  readonly deliver: (event: PlannedEvent, moment: Moment) => Promise<Delivered>;
  /** What goes on with a request that failed, or that was queued. */
  readonly deferred?: (event: never, context: DurableContext) => Promise<unknown>;
}
