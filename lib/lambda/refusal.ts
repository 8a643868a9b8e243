/** The end of an event that nobody tries again. */
import type { Announcement } from './announce.ts';
import type { Original } from './destination-record.ts';
import type { Reason } from './log.ts';

export interface Refusal {
  readonly reason: Reason;
  /** How often it was tried, the first failed invocation included. */
  readonly attempts: number;
}

const NOT_TOLD = 'An error that nobody expected; the history of the durable execution has those of earlier attempts.';

/** @param id the same whenever the same refusal is announced again */
export const refusalAnnouncement = (
  id: string,
  time: Date,
  original: Original,
  { reason: { error, message = NOT_TOLD, dds_code }, attempts }: Refusal,
): Announcement => ({
  type: 'DDS Backup Refused',
  time,
  detail: { id, ...original, error, message, dds_code, attempts },
});

/** What the execution fails with: Lambda keeps its name and its message. */
export function refusalError({ reason, attempts }: Refusal, { since }: Original): Error {
  const { error, message = NOT_TOLD } = reason;
  const failed = new Error(attempts > 1 ? `After ${attempts} attempts since ${since}: ${message}` : message);
  failed.name = error;
  return failed;
}
