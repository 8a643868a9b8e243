import { Failure, type FailureName } from '../failure.ts';
import type { Answer } from '../otc/connection.ts';
import { type Meaning, meaningOf } from './error-codes.ts';
import type { ErrorResponse } from './types.ts';

const NAME = {
  taken: 'BackupNameTaken',
  busy: 'InstanceBusy',
  ambiguous: 'DdsRejected',
  throttled: 'Throttled',
  unavailable: 'DdsUnavailable',
  credentials: 'CredentialsRefused',
  rejected: 'DdsRejected',
} as const satisfies Record<Meaning, FailureName>;

/** DDS, or the gateway before it, answered with an error. */
export class DdsError extends Failure {
  readonly meaning: Meaning;
  readonly status: number;
  /** DDS's own code, such as `DBS.201014`; undefined where the answer had none. */
  readonly code: string | undefined;
  /** Seconds, as DDS gave them. */
  readonly retryAfter: number | undefined;
  // Private, so that no log shows a whole body.
  readonly #text: string;

  constructor({ status, retryAfter, text }: Answer, body: Partial<ErrorResponse>) {
    const { error_code, error_msg = 'no reason given' } = body;
    const code = /^[\w.-]{1,64}$/.test(error_code ?? '') ? error_code : undefined;
    const meaning = meaningOf(status, code);
    super(NAME[meaning], `DDS answered ${status}${code === undefined ? '' : ` ${code}`}: ${error_msg}`);
    this.meaning = meaning;
    this.status = status;
    this.code = code;
    this.retryAfter = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
    this.#text = text;
  }

  /** The answer's body, verbatim: JSON. */
  get text(): string {
    return this.#text;
  }
}
