/** The request: its type and its validation, both from `request.schema.json`. */
import { InvalidRequest, type Violation } from '../errors.ts';
import { MUST_BE_A_TIME } from '../time.ts';
import validate from './validate-request.cjs';

export type BackupRequest = validate.BackupRequest;

/** What `ajv` notes of a broken rule; its own messages are left out of the bundles. */
interface BrokenRule {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Checks a request. Every violation is reported, in the words of the request. */
export function violationsOf(request: unknown): readonly Violation[] {
  return isBackupRequest(request) ? [] : describe(validate.errors ?? []);
}

export const isBackupRequest = (request: unknown): request is BackupRequest => validate(request);

/** @throws InvalidRequest for any other than a valid request */
export function validRequest(request: unknown): BackupRequest {
  if (isBackupRequest(request)) return request;
  throw new InvalidRequest(400, 'The request is invalid', violationsOf(request));
}

/** What each branch of `oneOf` misses is said once, by `oneOf` itself. */
const describe = (rules: readonly BrokenRule[]): readonly Violation[] =>
  rules.filter(({ schemaPath }) => !schemaPath.includes('/oneOf/')).map(violation);

function violation({ instancePath: path, keyword, params }: BrokenRule): Violation {
  switch (keyword) {
    case 'required':
      return { path: `${path}/${params.missingProperty}`, message: 'is required' };
    case 'additionalProperties':
      return { path: `${path}/${pointer(String(params.additionalProperty))}`, message: 'is not a known field' };
    case 'type':
      return { path, message: `must be of type ${params.type}` };
    case 'minLength':
      return { path, message: `must have at least ${params.limit} character${params.limit === 1 ? '' : 's'}` };
    case 'maxLength':
      return { path, message: `must have at most ${params.limit} characters` };
    case 'pattern':
      return { path, message: path === '/not_after' ? MUST_BE_A_TIME : `must match ${params.pattern}` };
    case 'oneOf':
      return { path, message: 'must have name or name_prefix, and not both' };
    default:
      throw new Error(`The keyword ${keyword} of the schema has no message.`);
  }
}

/** The beginning of a field's name as a part of a JSON pointer, RFC 6901. */
const pointer = (field: string): string => field.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
