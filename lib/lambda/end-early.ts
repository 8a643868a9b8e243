import { Failure } from '../failure.ts';

/**
 * The last guard against Lambda's silent cut: middy ends the invocation half a second before, should anything outlast
 * the deadline that every attempt keeps.
 */
export const endEarly = {
  timeoutEarlyInMillis: 500,
  timeoutEarlyResponse: (): never => {
    throw new Failure(
      'UpstreamTimeout',
      'The time is up; the backup may have been accepted: repeat the request with the same name or id',
    );
  },
};
