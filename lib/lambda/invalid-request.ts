import type { ErrorObject } from 'ajv';
import { Failure } from '../failure.ts';

/** One rule that the request breaks: where (a JSON pointer into the request), and what it must be. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

// A hostile event breaks more rules than anybody wants to read.
const MOST_DETAILS = 100;
const MOST_IN_MESSAGE = 20;
const LONGEST_FIELD = 64;

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

/** The validator's findings in the words of the request: a missing or unknown field is named by its own path. */
export const violations = (errors: readonly ErrorObject[]): Violation[] =>
  errors
    // What each branch of `oneOf` misses is said once, by `oneOf` itself.
    .filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'))
    .map(({ instancePath: path, keyword, params }) => {
      switch (keyword) {
        case 'required':
          return { path: `${path}/${params.missingProperty}`, message: 'is required' };
        case 'additionalProperties':
          return { path: `${path}/${escaped(params.additionalProperty)}`, message: 'is not a known field' };
        case 'type':
          return { path, message: `must be of type ${params.type}` };
        case 'minLength':
          return { path, message: `must have at least ${params.limit} character${params.limit === 1 ? '' : 's'}` };
        case 'maxLength':
          return { path, message: `must have at most ${params.limit} characters` };
        case 'pattern':
          return { path, message: `must match ${params.pattern}` };
        case 'oneOf':
          return { path, message: 'must have name or name_prefix, and not both' };
        default:
          return { path, message: `breaks the rule ${keyword}` };
      }
    });

/** The beginning of a field's name as a part of a JSON pointer, RFC 6901. */
const escaped = (field: string): string => field.slice(0, LONGEST_FIELD).replaceAll('~', '~0').replaceAll('/', '~1');
