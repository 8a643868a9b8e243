/**
 * A stand-in for four calls of AWS on this machine: GetSecretValue of Secrets Manager, PutEvents of EventBridge, Publish
 * of SNS and the asynchronous Invoke of Lambda. It verifies every signature.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fieldsOf, isObject, type JsonObject, parseJson } from '../../lib/json.ts';
import { SECOND } from '../../lib/time.ts';
import { type AuthenticationError, type AwsCredentials, signatureRefusal } from './aws-signature.ts';

export type AwsServiceName = 'secretsmanager' | 'events' | 'sns' | 'lambda';

export type AwsFault =
  /** An error in the form of the service, whatever its type. */
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message?: string }
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  /** No answer. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }
  /** Half of what would have been answered, then the end of the connection. */
  | { readonly kind: 'half' }
  /** PutEvents: the entries with these indices are refused with these codes. */
  | { readonly kind: 'refuse'; readonly entries: Readonly<Record<number, string>> };

export const throttled: AwsFault = {
  kind: 'error',
  status: 400,
  type: 'ThrottlingException',
  message: 'Rate exceeded',
};

export interface AwsRequestRecord {
  readonly service: AwsServiceName;
  /** `GetSecretValue`, `PutEvents`, `Publish`, `Invoke`. */
  readonly operation: string;
  /** Parsed. */
  readonly body: JsonObject;
  readonly headers: IncomingMessage['headers'];
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
  /** The type of the error in the answer. */
  readonly error: string | undefined;
}

export interface PublishedEvent {
  readonly bus: unknown;
  readonly source: unknown;
  readonly type: unknown;
  readonly time: Date;
  readonly detail: JsonObject;
}

export interface AwsOptions {
  /** By name; a secret that holds no text is `undefined`. Tests may change it. */
  readonly secrets?: Record<string, string | undefined>;
  readonly credentials?: AwsCredentials;
  readonly region?: string;
  readonly clock?: () => Date;
  /** Of the entries in one call of PutEvents. */
  readonly maxBytes?: number;
  /** Topics and functions that exist. Default: all. */
  readonly topics?: readonly string[];
  readonly functions?: readonly string[];
  /** Called for each request before it is answered. */
  readonly onRequest?: (request: Pick<AwsRequestRecord, 'service' | 'operation' | 'body'>) => void;
}

export interface Aws {
  readonly url: string;
  /** What a function needs to call it. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Record<string, string | undefined>;
  /** In the order of their arrival, those refused included. */
  readonly requests: readonly AwsRequestRecord[];
  /** What EventBridge, SNS and Lambda accepted. */
  readonly events: readonly PublishedEvent[];
  readonly messages: readonly JsonObject[];
  readonly invocations: readonly { readonly name: string; readonly payload: unknown }[];
  /** The next requests meet these faults, one each; `undefined` lets one through. */
  next(...faults: readonly (AwsFault | undefined)[]): void;
  /** Decides on each request for which `next` left nothing. */
  decide: (request: Pick<AwsRequestRecord, 'service' | 'operation' | 'body'>) => AwsFault | undefined;
  /** Ends every connection, hanging ones too. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A temporary key, as every function has one. */
export const AWS_CREDENTIALS = {
  accessKeyId: 'ASIASTANDINACCESSKEY',
  secretAccessKey: 'stand-in/secret+access+key+0000000000000',
  sessionToken: 'stand-in/session+token==',
} as const satisfies AwsCredentials;

/** What is answered. An error has a type. */
interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
  readonly error?: string;
}

/** A request that is not answered yet. */
type OpenRecord = { -readonly [field in keyof AwsRequestRecord]: AwsRequestRecord[field] };

type Call = Pick<AwsRequestRecord, 'service' | 'operation' | 'body' | 'headers'> & { readonly target: string };

const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;

export async function startAws({
  secrets = {},
  credentials = AWS_CREDENTIALS,
  region = 'eu-central-1',
  clock = () => new Date(),
  maxBytes = MAX_BYTES,
  topics,
  functions,
  onRequest = () => {},
}: AwsOptions = {}): Promise<Aws> {
  const requests: OpenRecord[] = [];
  const events: PublishedEvent[] = [];
  const messages: JsonObject[] = [];
  const invocations: { name: string; payload: unknown }[] = [];
  const faults: (AwsFault | undefined)[] = [];

  function getSecretValue({ body: { SecretId } }: Call): Answer {
    const name = String(SecretId);
    if (!Object.hasOwn(secrets, name))
      return failed('secretsmanager', 400, 'ResourceNotFoundException', "Secrets Manager can't find the secret.");
    const value = secrets[name] === undefined ? { SecretBinary: 'AA==' } : { SecretString: secrets[name] };
    return json({ ARN: `arn:aws:secretsmanager:${region}:123456789012:secret:${name}-AbCdEf`, Name: name, ...value });
  }

  function putEvents({ body }: Call, refused: Readonly<Record<number, string>>): Answer {
    const entries = Array.isArray(body.Entries) ? body.Entries.map(fieldsOf) : [];
    const invalid = (message: string) => failed('events', 400, 'ValidationException', message);
    if (entries.length === 0 || entries.length > MAX_ENTRIES)
      return invalid(`Value at 'entries' failed to satisfy constraint: length from 1 to ${MAX_ENTRIES}`);
    if (entries.some(({ Time }) => Time !== undefined && typeof Time !== 'number'))
      return failed('events', 400, 'SerializationException', 'STRING_VALUE can not be converted to milliseconds');
    if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > maxBytes)
      return invalid('Total size of the entries in the request is over the limit.');
    const results = entries.map((entry, index) => {
      const ErrorCode = refused[index] ?? entryError(entry);
      if (ErrorCode !== undefined) return { ErrorCode, ErrorMessage: 'The entry was refused.' };
      const { EventBusName: bus, Source: source, DetailType: type, Time, Detail } = entry;
      const time = typeof Time === 'number' ? new Date(Time * SECOND) : clock();
      events.push({ bus, source, type, time, detail: fieldsOf(parseJson(String(Detail))) });
      return { EventId: randomUUID() };
    });
    // A bus that does not exist takes everything: https://github.com/aws/aws-sdk/issues/186
    return json({ FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results });
  }

  function publishMessage({ body }: Call): Answer {
    const { TopicArn, Message, Subject = 'x' } = body;
    const invalid = (what: string) => failed('sns', 400, 'InvalidParameter', `Invalid parameter: ${what}`);
    if (typeof TopicArn !== 'string') return invalid('TopicArn or TargetArn Reason: no value for required parameter');
    if (typeof Message !== 'string' || Message === '') return invalid('Empty message');
    if (Buffer.byteLength(Message) > MAX_BYTES) return invalid('Message too long');
    if (!/^[!-~][ -~]{0,99}$/.test(String(Subject))) return invalid('Subject');
    if (topics && !topics.includes(TopicArn)) return failed('sns', 404, 'NotFound', 'Topic does not exist');
    messages.push(body);
    return xml(
      200,
      `<PublishResponse xmlns="${SNS_NAMESPACE}"><PublishResult><MessageId>${randomUUID()}</MessageId></PublishResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></PublishResponse>`,
    );
  }

  function invoke({ target, headers, body }: Call): Answer {
    const [, encoded = ''] = INVOCATIONS.exec(target) ?? [];
    const name = decodeURIComponent(encoded);
    if (headers['x-amz-invocation-type'] !== 'Event')
      return failed('lambda', 400, 'InvalidParameterValueException', 'Only asynchronous invocations are supported.');
    if (functions && !functions.includes(name))
      return failed('lambda', 404, 'ResourceNotFoundException', `Function not found: ${name}`);
    if (!('payload' in body))
      return failed('lambda', 400, 'InvalidRequestContentException', 'Could not parse request body into json');
    if (Buffer.byteLength(JSON.stringify(body.payload)) > MAX_BYTES)
      return failed('lambda', 413, 'RequestEntityTooLargeException', `Request must be smaller than ${MAX_BYTES} bytes`);
    invocations.push({ name, payload: body.payload });
    return { status: 202, text: '' };
  }

  function perform(call: Call, fault: AwsFault | undefined): Answer {
    const { service, operation } = call;
    if (fault?.kind === 'error') return failed(service, fault.status, fault.type, fault.message ?? 'an injected fault');
    if (fault?.kind === 'answer') return fault;
    switch (`${service}.${operation}`) {
      case 'secretsmanager.GetSecretValue':
        return getSecretValue(call);
      case 'events.PutEvents':
        return putEvents(call, fault?.kind === 'refuse' ? fault.entries : {});
      case 'sns.Publish':
        return publishMessage(call);
      case 'lambda.Invoke':
        return invoke(call);
      default:
        return failed(service, 400, service === 'sns' ? 'InvalidAction' : 'UnknownOperationException', operation);
    }
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = Buffer.concat(await incoming.toArray());
    const { method = '', url: target = '', headers } = incoming;
    const call: Call = { ...identify(target, headers, bytes.toString()), headers, target };
    const { service } = call;
    const record: OpenRecord = { ...call, status: undefined, error: undefined };
    requests.push(record);
    onRequest(record);
    const refusal = await signatureRefusal(
      { method, target, headers, body: bytes },
      { credentials, region, service, now: clock() },
    );
    const fault = refusal ? undefined : faults.length > 0 ? faults.shift() : aws.decide(call);
    const answer = refusal
      ? failed(service, ...AUTHENTICATION_ERRORS[refusal.error](service), refusal.message)
      : fault?.kind === 'hang' || fault?.kind === 'reset'
        ? undefined
        : perform(call, fault);
    record.status = answer?.status;
    record.error = answer?.error;
    if (answer === undefined) {
      if (fault?.kind === 'reset') incoming.socket.resetAndDestroy();
      return;
    }
    const body = Buffer.from(answer.text);
    response.writeHead(answer.status, {
      'x-amzn-requestid': randomUUID(),
      'content-length': body.length,
      ...answer.headers,
    });
    if (fault?.kind === 'half') response.write(body.subarray(0, body.length / 2), () => void response.destroy());
    else response.end(body);
  }

  // One after the other, so that what arrived first is accepted first.
  let last = Promise.resolve();
  const server = createServer((incoming, response) => {
    // A client that gives up ends its request in the middle.
    last = last.then(() => handle(incoming, response)).catch(() => void response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${isObject(address) ? address.port : ''}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const aws: Aws = {
    url,
    env: {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(credentials.sessionToken !== undefined && { AWS_SESSION_TOKEN: credentials.sessionToken }),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: url,
      AWS_ENDPOINT_URL_SNS: url,
      AWS_ENDPOINT_URL_LAMBDA: url,
    },
    secrets,
    requests,
    events,
    messages,
    invocations,
    next: (...more) => void faults.push(...more),
    decide: () => undefined,
    close,
    [Symbol.asyncDispose]: close,
  };
  return aws;
}

const INVOCATIONS = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?|$)/;

/** By what the protocol of each service puts into a request, signed or not. */
function identify(
  target: string,
  headers: IncomingMessage['headers'],
  text: string,
): Pick<AwsRequestRecord, 'service' | 'operation' | 'body'> {
  if (INVOCATIONS.test(target)) {
    const payload = text === '' ? {} : parseJson(text);
    return { service: 'lambda', operation: 'Invoke', body: payload === undefined ? {} : { payload } };
  }
  const [, prefix, operation = ''] = /^(secretsmanager|AWSEvents)\.(\w+)$/.exec(String(headers['x-amz-target'])) ?? [];
  if (prefix !== undefined)
    return {
      service: prefix === 'AWSEvents' ? 'events' : 'secretsmanager',
      operation,
      body: fieldsOf(parseJson(text)),
    };
  const { Action = '', ...body } = Object.fromEntries(new URLSearchParams(text));
  return { service: 'sns', operation: Action, body };
}

const json = (body: object): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  text: JSON.stringify(body),
});

const SNS_NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';

const xml = (status: number, text: string): Answer => ({ status, headers: { 'content-type': 'text/xml' }, text });

const escaped = (text: string): string => text.replace(/[<>&]/g, (char) => `&#${char.charCodeAt(0)};`);

/** An error in the form of the service: in the body, in XML, or with its type in a header. */
function failed(service: AwsServiceName, status: number, type: string, message: string): Answer {
  switch (service) {
    case 'sns':
      return {
        ...xml(
          status,
          `<ErrorResponse xmlns="${SNS_NAMESPACE}"><Error><Type>Sender</Type><Code>${escaped(type)}</Code><Message>${escaped(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
        ),
        error: type,
      };
    case 'lambda':
      return {
        status,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
        text: JSON.stringify({ Type: status < 500 ? 'User' : 'Server', message }),
        error: type,
      };
    default:
      return {
        status,
        headers: { 'content-type': 'application/x-amz-json-1.1' },
        text: JSON.stringify({ __type: type, message }),
        error: type,
      };
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const authenticationError =
  (json: string, query: string) =>
  (service: AwsServiceName): [status: number, type: string] =>
    service === 'sns' ? [403, query] : [service === 'lambda' ? 403 : 400, json];

const AUTHENTICATION_ERRORS: Readonly<
  Record<AuthenticationError, (service: AwsServiceName) => [status: number, type: string]>
> = {
  MissingAuthenticationToken: authenticationError('MissingAuthenticationTokenException', 'MissingAuthenticationToken'),
  IncompleteSignature: authenticationError('IncompleteSignatureException', 'IncompleteSignature'),
  UnknownClient: authenticationError('UnrecognizedClientException', 'InvalidClientTokenId'),
  WrongSignature: authenticationError('InvalidSignatureException', 'SignatureDoesNotMatch'),
};

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
const sizeOf = ({ Time, Source = '', DetailType = '', Detail = '' }: JsonObject): number =>
  (Time === undefined ? 0 : 14) + Buffer.byteLength(`${Source}${DetailType}${Detail}`);

function entryError({ Source, DetailType, Detail }: JsonObject): string | undefined {
  if (!Source || !DetailType || !Detail) return 'InvalidArgument';
  const parsed = parseJson(String(Detail));
  return isObject(parsed) && !Array.isArray(parsed) ? undefined : 'MalformedDetail';
}
