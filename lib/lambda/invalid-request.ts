import type { Violation } from '../backup/validate-request.js';
import { Failure } from '../failure.ts';

// A hostile event breaks more rules than anybody wants to read.
const MOST_DETAILS = 100;
const MOST_IN_MESSAGE = 20;

/** The event is none that a backup can be made from; DDS was not asked. */
export class InvalidRequest extends Failure {
  readonly status: 400 | 413 | 415 | 422;
  // Private, so that no log holds as many as a hostile event breaks.
  readonly #details: readonly Violation[];

  constructor(status: InvalidRequest['status'], message: string, details: readonly Violation[] = []) {
    const listed = details.slice(0, MOST_IN_MESSAGE).map(({ path, message }) => `${path || 'it'} ${message}`);
    const more = details.length > listed.length ? [`and ${details.length - listed.length} more`] : [];
    super('InvalidRequest', details.length > 0 ? `${message}: ${[...listed, ...more].join('; ')}` : message);
    this.status = status;
    this.#details = details.slice(0, MOST_DETAILS);
  }

  get details(): readonly Violation[] {
    return this.#details;
  }
}
