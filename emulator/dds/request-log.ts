import type { Query } from './request-target.ts';
import type { OperationName } from './routes.ts';

/** What became of a request. Its headers are not kept: no signature, key, password or token stands here. */
export interface RecordedRequest {
  readonly method: string;
  /** Decoded, without the query; as received when it cannot be decoded. */
  readonly path: string;
  /** Decoded. */
  readonly query: Query;
  /** Undefined when the gateway knows no such API. */
  readonly operation: OperationName | undefined;
  /** The project that the path names. */
  readonly project: string | undefined;
  /** Parsed, when it is JSON; not that of a request for a token. */
  readonly body: unknown;
  /** Undefined until answered, and for good when the answer never began. */
  readonly status: number | undefined;
  /** What the gateway, the operation or an injected error refused it with, whether or not the caller got to see it. */
  readonly errorCode: string | undefined;
  /** Whether it began or deleted a backup or made a token, whatever the caller got to see. */
  readonly tookEffect: boolean;
  /** The kind of the fault that was applied to it. */
  readonly fault: string | undefined;
}

export type OpenRecord = { -readonly [Member in keyof RecordedRequest]: RecordedRequest[Member] };

export const openRecord = (method: string, target: string): OpenRecord => ({
  method,
  path: target,
  query: {},
  operation: undefined,
  project: undefined,
  body: undefined,
  status: undefined,
  errorCode: undefined,
  tookEffect: false,
  fault: undefined,
});
