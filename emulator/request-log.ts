import type { OperationName } from './routes.ts';

/** What became of a request. Its headers are not kept: no signature, key or token stands here. */
export interface RecordedRequest {
  readonly method: string;
  /** Decoded, without the query; as received when it cannot be decoded. */
  readonly path: string;
  /** Undefined when the gateway knows no such API. */
  readonly operation: OperationName | undefined;
  /** Parsed, when it is JSON. */
  readonly body: unknown;
  /** Undefined until answered, and for good when the answer never began. */
  readonly status: number | undefined;
  /** What the gateway, the operation or an injected error refused it with, whether or not the caller got to see it. */
  readonly errorCode: string | undefined;
  /** Whether it began or deleted a backup, whatever the caller got to see. */
  readonly tookEffect: boolean;
  /** The kind of the fault that it suffered. */
  readonly fault: string | undefined;
}

export type OpenRecord = { -readonly [Member in keyof RecordedRequest]: RecordedRequest[Member] };
