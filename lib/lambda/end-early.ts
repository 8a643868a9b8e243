import { MAY_BE_THERE } from '../backup/create-backup.ts';
import { Failure } from '../failure.ts';

/**
 * The last guard against Lambda's silent cut: middy ends the invocation half a second before, should anything outlast
 * the deadline that every attempt keeps.
 */
export const endEarly = {
  timeoutEarlyInMillis: 500,
  timeoutEarlyResponse: (): never => {
    throw new Failure('UpstreamTimeout', `The time is up. ${MAY_BE_THERE}`);
  },
};

/** The same for a run, which makes no backup. */
export const endRunEarly = {
  timeoutEarlyInMillis: 500,
  timeoutEarlyResponse: (): never => {
    throw new Failure('UpstreamTimeout', 'The time is up.');
  },
};
