/** Tells an event bus what became of a backup, for whoever wants to hear of it. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Environment } from '../config.ts';
import { Failure } from '../failure.ts';

export interface Announcement {
  /** The event's `detail-type`. */
  readonly type: 'DDS Backup Completed' | 'DDS Backup Failed' | 'DDS Backup Stuck' | 'DDS Backup Refused';
  /** When it happened. */
  readonly time: Date;
  /** `id` is the same whenever the same thing is announced again, so that a listener can pass over what it knows. */
  readonly detail: { readonly id: string; readonly [field: string]: unknown };
}

/**
 * Resolves when all are taken. Whoever asks again after an error announces some of them twice, under the same `id`.
 * @throws Failure `AnnouncementFailed`
 */
export type Announce = (announcements: readonly Announcement[]) => Promise<void>;

/** The `source` of every announcement. */
export const SOURCE = 'dds-backup-trigger';

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MOST_ENTRIES = 10;

/**
 * Announces on the EventBridge bus that the variable `EVENT_BUS` names.
 * @throws Failure `ConfigurationError` on the first announcement when there is no such variable
 */
export function eventBusAnnouncer(env: Environment, client?: () => EventBridgeClient): Announce {
  let connected: EventBridgeClient | undefined;

  return async (announcements) => {
    const { EVENT_BUS: EventBusName } = env;
    if (!EventBusName) throw new Failure('ConfigurationError', 'The function is not configured: EVENT_BUS is missing.');
    // Comes with Lambda's runtime, and takes longer to load than all the rest: only for who has something to say.
    const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
    connected ??= client?.() ?? new EventBridgeClient();
    for (let i = 0; i < announcements.length; i += MOST_ENTRIES) {
      const Entries = announcements.slice(i, i + MOST_ENTRIES).map(({ type, time, detail }) => ({
        EventBusName,
        Source: SOURCE,
        DetailType: type,
        Time: time,
        Detail: JSON.stringify(detail),
      }));
      const { FailedEntryCount, Entries: taken = [] } = await connected
        .send(new PutEventsCommand({ Entries }))
        .catch(notReached);
      if (!FailedEntryCount) continue;
      const codes = new Set(taken.map(({ ErrorCode }) => ErrorCode).filter((code) => code !== undefined));
      throw new Failure(
        'AnnouncementFailed',
        `The event bus ${EventBusName} did not take ${FailedEntryCount} of ${Entries.length} events (${[...codes].join(', ')}).`,
      );
    }
  };
}

/** Not with its message: to a wrong signature AWS answers with all that was signed, the session's token too. */
const notReached = (error: unknown): never => {
  throw new Failure('AnnouncementFailed', `The event bus was not reached (${Object(error).name}).`);
};
