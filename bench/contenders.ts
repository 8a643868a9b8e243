/** The contenders: each is a bundle in `dist/` that exports a handler, and the kind of event that it gets. */
import type { EventKind } from './probes/lambda.ts';

export interface Contender {
  readonly bundle: string;
  readonly event: EventKind;
  /** Whether it asks for a backup at all. */
  readonly posts: boolean;
}

const contender = (bundle: string, event: EventKind, posts = true): Contender => ({ bundle, event, posts });

export const contenders = {
  http: contender('http.mjs', 'http'),
  'event-bus': contender('event-bus.mjs', 'event-bus'),
  invoke: contender('invoke.mjs', 'invoke'),
  '(a) empty': contender('bench/empty.mjs', 'invoke', false),
  '(b) built-ins': contender('bench/built-ins.mjs', 'invoke', false),
  '(b) bare POST': contender('bench/bare-post.mjs', 'invoke'),
  '(c) usual http': contender('bench/usual-http.mjs', 'http'),
  '(c) usual invoke': contender('bench/usual-invoke.mjs', 'invoke'),
} as const;

export type ContenderName = keyof typeof contenders;
