import { Failure, type FailureName } from '../failure.ts';
import type { Answer } from '../otc/connection.ts';
import { type Meaning, meaningOf } from './error-codes.ts';

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

  /** @param body of the answer: its `error_code` and `error_msg` where they are such */
  constructor(
    { status, retryAfter, text }: Answer,
    { error_code, error_msg }: { error_code?: unknown; error_msg?: unknown },
  ) {
    const code = typeof error_code === 'string' && /^[\w.-]{1,64}$/.test(error_code) ? error_code : undefined;
    const reason = typeof error_msg === 'string' ? error_msg : 'no reason given';
    const meaning = meaningOf(status, code);
    super(NAME[meaning], `DDS answered ${status}${code ? ` ${code}` : ''}: ${reason}`);
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

/** DDS's own code in the message of a DdsError, where nothing but its message is left. */
export const codeIn = (message: string): string | undefined =>
  /^DDS answered \d{3} ([\w.-]{1,64}): /.exec(message)?.[1];
