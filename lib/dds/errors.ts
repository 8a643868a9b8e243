/**
 * DDS's error codes and statuses as reasons.
 * Source: DDS API reference, "Error Codes". Codes with another source are marked.
 */
import { Failure, type FailureOptions, type Reason } from '../errors.ts';
import type { HttpAnswer } from '../http/client.ts';
import { isObject, type JsonObject, textOf } from '../json.ts';
import { SECOND } from '../time.ts';

const CODES: readonly (readonly [reason: Reason, codes: readonly string[], options?: FailureOptions])[] = [
  ['BackupNameTaken', ['DBS.201201']],
  [
    'InstanceBusy',
    [
      ...['DBS.200011', 'DBS.200018', 'DBS.200019', 'DBS.200047', 'DBS.200076'],
      ...['DBS.201000', 'DBS.201014', 'DBS.201015', 'DBS.201202', 'DBS.201204'],
      ...['DBS.201208', 'DBS.201319'], // of a deletion: the backup is still being made, or a restore uses it
      'DBS.00010009', // retried by the Terraform provider of OTC
      'DBS.239037', // retried by the Terraform provider of OTC
    ],
  ],
  // As busy, among other reasons that waiting does not cure.
  ['DdsRejected', ['DBS.280042', 'DBS.212003'], { retry: 'later' }],
  ['Throttled', ['DBS.200998', 'DBS.280443', 'APIGW.0308']],
  ['DdsUnavailable', ['DBS.280005', 'DBS.201509']],
  [
    'CredentialsRefused',
    [
      ...['APIGW.0301', 'APIGW.0302', 'APIGW.0303', 'APIGW.0306', 'APIGW.0307', 'APIGW.0310'],
      ...['DBS.200010', 'DBS.200604', 'DBS.280015', 'DBS.280019', 'DBS.280032'],
      ...['DBS.280056', 'DBS.280063', 'DBS.280064'],
    ],
  ],
  ['InstanceNotFound', ['DBS.200002', 'DBS.201028', 'DBS.201501', 'DBS.201502', 'DBS.280110', 'DBS.280404']],
  ['BackupNotFound', ['DBS.201214']],
  ['ConfigurationError', ['APIGW.0101']],
];

const byCode = (code: string) => CODES.find(([, codes]) => codes.includes(code));

/** A documented code decides. For any other the status does. */
function classify(status: number, code: string | undefined): readonly [Reason, FailureOptions?] {
  const documented = code === undefined ? undefined : byCode(code);
  if (documented) return [documented[0], documented[2] ?? {}];
  if (status === 429) return ['Throttled'];
  if (status >= 500) return ['DdsUnavailable'];
  if (status === 401 || (status === 403 && (code === undefined || isOfGateway(code)))) return ['CredentialsRefused'];
  // Sister services answer busy with 409.
  if ([408, 409, 425].includes(status)) return ['DdsRejected', { retry: 'later' }];
  return ['DdsRejected'];
}

/** The same for an answer without JSON, of which the status is all that can be read. Undefined where it says nothing. */
function classifyStatus(status: number): readonly [Reason, FailureOptions?] | undefined {
  const isTelling = [401, 403, 408, 409, 413, 414, 425, 429].includes(status) || status >= 500;
  return isTelling ? classify(status, undefined) : undefined;
}

/** DDS, or the gateway before it, answered with an error. */
export class DdsError extends Failure {
  static override readonly name: string = 'DdsError';
  readonly status: number;
  /** DDS's own code, such as `DBS.201014`; undefined where the answer had none. */
  readonly code: string | undefined;
  /** DDS's own text; undefined where it may quote our request, or where there was none. */
  readonly text: string | undefined;
  /** What `Retry-After` asked for; undefined where it did not, or made no sense. */
  readonly retryAfterMillis: number | undefined;

  /** @param body of the answer, parsed; undefined where it is not a JSON object */
  constructor(answer: HttpAnswer, body: JsonObject | undefined, now: Date) {
    const { status } = answer;
    const code = readCode(body?.error_code);
    const [reason, options] = (body ? classify(status, code) : classifyStatus(status)) ?? ['UpstreamInvalid'];
    // Whatever stands before DDS may quote the headers that it refuses, in forms that no redaction foresees.
    const isOfDds = status !== 401 && code !== undefined && !isOfGateway(code);
    const text = isOfDds && typeof body?.error_msg === 'string' ? body.error_msg : undefined;
    const message = `DDS answered ${status}${code ? ` ${code}` : ''}: ${text ?? ADVICE[reason] ?? 'no reason given.'}`;
    super(reason, message, options);
    this.status = status;
    this.code = code;
    this.text = text?.slice(0, MAX_TEXT);
    this.retryAfterMillis = parseRetryAfter(answer, now);
  }

  /** Refused, perhaps for the instance's state: worth a look at the list, and another try. */
  get isAmbiguous(): boolean {
    return this.name === 'DdsRejected' && this.retry === 'later';
  }
}

const CODE = /^[\w.-]{1,64}$/;

const isOfGateway = (code: string): boolean => code.startsWith('APIGW.');

/** In the spelling of the reference; undefined for what is no code. */
function readCode(stated: unknown): string | undefined {
  const code = textOf(stated).trim();
  if (/^(dbs|apigw)\.\d+$/i.test(code)) return code.toUpperCase();
  return typeof stated === 'string' && CODE.test(code) ? code : undefined;
}

/** Characters. */
const MAX_TEXT = 1000;

const ADVICE: Readonly<Partial<Record<Reason, string>>> = {
  CredentialsRefused:
    'our access key, its permissions, the account or the time was refused. Check the key, and the clock.',
  ConfigurationError: 'no such API. Check DDS_ENDPOINT.',
  Throttled: 'too many requests. Try again later.',
  DdsUnavailable: 'a server error.',
  UpstreamInvalid: 'not JSON.',
};

/** DDS answered something that the reference does not promise. */
export const invalidAnswer = (what: string): Failure => new Failure('UpstreamInvalid', `DDS answered ${what}.`);

/** DDS's own code in the message of a DdsError, where only its message is left. */
export const codeIn = (message: string): string | undefined =>
  /^DDS answered \d{3} ([\w.-]{1,64}): /.exec(message)?.[1];

/**
 * `Retry-After` in milliseconds: seconds, or an HTTP date, which is held against the answer's own `Date`. RFC 9110,
 * section 10.2.3. Undefined for anything else.
 */
export function parseRetryAfter({ headers }: Pick<HttpAnswer, 'headers'>, now: Date): number | undefined {
  const { 'retry-after': retryAfter = '', date } = headers;
  const text = retryAfter.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  if (!/^[A-Z][a-z]+,? .*GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  const from = Date.parse(date ?? '');
  const millis = at - (Number.isNaN(from) ? now.getTime() : from);
  return millis >= 0 ? millis : undefined;
}

/** The body of a successful answer. Throws DdsError or Failure `UpstreamInvalid` for any other. */
export function succeeded(answer: HttpAnswer, body: unknown, now: Date): JsonObject {
  const { status } = answer;
  if (status >= 400 && status < 600) throw new DdsError(answer, isObject(body) ? body : undefined, now);
  if (status < 200 || status >= 300) throw invalidAnswer(`${status}, which is neither success nor error`);
  if (!isObject(body)) throw invalidAnswer(`${status} and no JSON object`);
  if ((body.error_code ?? '') !== '') throw invalidAnswer(`${status} with an error_code`);
  return body;
}
