/** Every backup that began in a simulation, and what became of it: also of those that are deleted in the end. */
import type { Backup, BackupStatus, Outcome } from '../../emulator/dds/records.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';

export type Status = BackupStatus | 'GONE';

/** Times are milliseconds by our clock, not by DDS's. */
export interface Effect {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly began: number;
  readonly ends: number;
  readonly outcome: Outcome;
  /** By hand. */
  readonly changes: { readonly at: number; readonly status: Status }[];
  /** What it was created by. */
  request?: RecordedRequest;
}

/** Undefined before it began. */
export function statusAt({ began, ends, outcome, changes }: Effect, at: number): Status | undefined {
  if (at < began) return undefined;
  const changed = changes.findLast((change) => change.at <= at);
  return changed?.status ?? (at < ends ? 'BUILDING' : outcome);
}

export const isAlive = (status: Status | undefined): boolean => status === 'BUILDING' || status === 'COMPLETED';

/** Whether it was FAILED at any time until then. */
export const hadFailed = ({ ends, outcome, changes }: Effect, at: number): boolean => {
  const [first = { at: Number.POSITIVE_INFINITY }] = changes;
  return (
    (outcome === 'FAILED' && ends <= Math.min(at, first.at)) ||
    changes.some((change) => change.status === 'FAILED' && change.at <= at)
  );
};

/** When it was BUILDING or COMPLETED no more. */
export function diedAt({ ends, outcome, changes }: Effect): number {
  const [first = { at: Number.POSITIVE_INFINITY }] = changes;
  return Math.min(first.at, outcome === 'FAILED' ? ends : Number.POSITIVE_INFINITY);
}

export type Ledger = ReturnType<typeof ledger>;

export function ledger(now: () => number) {
  const effects: Effect[] = [];
  return {
    effects: effects as readonly Effect[],
    begin: ({ id, name }: Backup, project: string, millis: number, outcome: Outcome): void => {
      // DDS counts whole milliseconds.
      const ends = Math.floor(now()) + millis;
      effects.push({ id, name, project, began: now(), ends, outcome, changes: [] });
    },
    /** @param at when the request took effect */
    attribute: (request: RecordedRequest, name: string, at: number): void => {
      const isIts = (effect: Effect) =>
        effect.name === name && effect.project === request.project && effect.began === at;
      const effect = effects.find(isIts);
      if (!effect) throw new Error(`No backup ${name} began at ${new Date(at).toISOString()}.`);
      effect.request = request;
    },
    change: ({ changes }: Effect, status: Status): void => void changes.push({ at: now(), status }),
  };
}
