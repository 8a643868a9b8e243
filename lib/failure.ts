/** The names that callers match on, in Step Functions, in a dead-letter reader, in `error_code`. */
export const FAILURE_NAMES = [
  'InvalidRequest',
  'Unauthorized',
  'ConfigurationError',
  'SecretUnavailable',
  'BackupNameTaken',
  'InstanceBusy',
  'Throttled',
  'DdsUnavailable',
  'DdsRejected',
  'CredentialsRefused',
  'UpstreamUnreachable',
  'UpstreamTimeout',
  'UpstreamInvalid',
  'AnnouncementFailed',
] as const;

export type FailureName = (typeof FAILURE_NAMES)[number];

/** Characters: it may quote an answer or an event, and must fit into a log line and a queue's message. */
const LONGEST_MESSAGE = 1000;

/**
 * Every error that this service throws on purpose: a name to match on, a message that says what to change.
 * It holds no request, header, body or secret, so that whoever catches it may log it whole.
 */
export class Failure extends Error {
  override readonly name: FailureName;
  /** The backup's name and how often DDS was asked for it, once that began. */
  declare backup?: { readonly name: string; readonly attempts: number };

  constructor(name: FailureName, message: string, options?: ErrorOptions) {
    super(message.slice(0, LONGEST_MESSAGE), options);
    this.name = name;
  }

  /** Whether DDS gave no answer that can be used; it may have acted all the same. */
  get isOfUpstream(): boolean {
    return this.name.startsWith('Upstream');
  }
}
