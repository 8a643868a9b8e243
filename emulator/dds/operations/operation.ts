/**
 * What every operation is: a function from a call to an answer, without a wait in between, so that no other request can
 * come between its checks and its effect.
 */
import type { Refusal } from '../refusals.ts';
import type { Query } from '../request-target.ts';
import type { Settings } from '../settings.ts';
import type { State } from '../state.ts';

export interface Call {
  /** Of the project that the path names. */
  readonly state: State;
  readonly settings: Settings;
  /** Decoded. */
  readonly query: Query;
  /** The segment of the path that varies, where the operation has one: `/backups/{backup_id}`. */
  readonly id: string;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Whether anything is different afterwards. */
  readonly tookEffect: boolean;
}

export type Operation = (call: Call) => Answer | Refusal;

/** The answer to a question. */
export const found = (body: unknown): Answer => ({ status: 200, body, tookEffect: false });

/** The answer to an order that was carried out. */
export const done = (body: unknown): Answer => ({ status: 200, body, tookEffect: true });
