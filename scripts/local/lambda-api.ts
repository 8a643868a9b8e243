/**
 * Lambda's API before serverless-offline, which ends when an asynchronous call fails: such calls become synchronous
 * ones here, and what fails goes to `deferred`, as in the cloud. Takes the events that functions publish, too.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
import { randomUUID } from 'node:crypto';
import { fieldsOf, isObject, parseJson } from '../../lib/json.ts';
import { forward, json, type LocalAnswer, type LocalRequest, type Responder } from './relay.ts';

export interface LambdaApi {
  /** Where serverless-offline has its Lambda API. */
  readonly offlinePort: number;
  /** The names of all functions. */
  readonly functions: readonly string[];
  /** Runs `deferred` with a payload. */
  readonly defer: (payload: unknown) => Promise<Ended>;
  readonly print: (line: string) => void;
}

export interface Ended {
  readonly result?: unknown;
  readonly error?: FunctionError | undefined;
}

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: unknown;
}

interface Call {
  /** Of the function. */
  readonly name: string;
  readonly payload: unknown;
  readonly requestId: string;
}

/** By the beginning of its name, also in the form `{account}:function:{name}:{qualifier}` or in that of an ARN. */
const INVOCATIONS =
  /^\/2015-03-31\/functions\/(?:(?:arn:[\w-]+:lambda:[\w-]*:)?\d{12}:function:)?([\w-]+)(?::[^/?]+)?\/invocations(?:\?|$)/;

export function lambdaApi({ offlinePort, functions, defer, print }: LambdaApi): Responder {
  return async (request) => {
    if (request.headers['x-amz-target'] === 'AWSEvents.PutEvents') return putEvents(request);
    const [, name] = INVOCATIONS.exec(decodeURIComponent(request.path)) ?? [];
    if (name === undefined || request.method !== 'POST')
      return refusal(404, 'ResourceNotFoundException', `Not emulated: ${request.method} ${request.path}`);
    if (!functions.includes(name)) return refusal(404, 'ResourceNotFoundException', `Function not found: ${name}`);
    const payload = request.body.length === 0 ? {} : parseJson(String(request.body));
    if (payload === undefined)
      return refusal(400, 'InvalidRequestContentException', 'Could not parse request body into json');
    const call: Call = { name, payload, requestId: randomUUID() };
    switch (request.headers['x-amz-invocation-type'] ?? 'RequestResponse') {
      case 'RequestResponse':
        return answerOf(await run(call), call);
      case 'Event':
        void runAsynchronously(call).catch((error: unknown) => print(`${name} failed: ${error}`));
        return empty(202, call);
      case 'DryRun':
        return empty(204, call);
      default:
        return refusal(400, 'InvalidParameterValueException', 'The invocation type is not one of Lambda');
    }
  };

  function run(call: Call): Promise<Ended> {
    return isDeferred(call.name) ? defer(call.payload) : runOffline(call);
  }

  async function runOffline({ name, payload, requestId }: Call): Promise<Ended> {
    // handlers.mjs reads the request id.
    const context = Buffer.from(JSON.stringify({ requestId })).toString('base64');
    const { headers, body } = await forward(offlinePort, {
      method: 'POST',
      path: `/2015-03-31/functions/${name}/invocations`,
      headers: { 'content-type': 'application/json', 'x-amz-client-context': context },
      body: Buffer.from(JSON.stringify(payload)),
    });
    const result = parseJson(String(body));
    return headers['x-amz-function-error'] === undefined ? { result } : { error: functionError(result) };
  }

  async function runAsynchronously(call: Call): Promise<void> {
    const { error } = await run(call);
    if (!error || isDeferred(call.name)) return;
    print(`${call.name} failed: ${error.errorType}: ${error.errorMessage}`);
    if (hasDestination(call.name)) await defer(destinationRecord(call, error, new Date()));
  }

  function putEvents({ body }: LocalRequest): LocalAnswer {
    const { Entries } = fieldsOf(parseJson(String(body)));
    const entries = Array.isArray(Entries) ? Entries.map(fieldsOf) : [];
    for (const { DetailType, Detail } of entries) print(`published: ${DetailType} ${Detail}`);
    return json(200, { FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: randomUUID() })) });
  }
}

const isDeferred = (name: string): boolean => name.endsWith('-deferred');

/** As in serverless.yml. */
const hasDestination = (name: string): boolean => /-(event-bus|invoke)$/.test(name);

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function destinationRecord({ name, payload, requestId }: Call, responsePayload: FunctionError, now: Date): object {
  return {
    version: '1.0',
    timestamp: now.toISOString(),
    requestContext: {
      requestId,
      functionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${name}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: 1,
    },
    requestPayload: payload,
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload,
  };
}

/** serverless-offline writes "Error" for every name, but the trace begins with the right one. */
function functionError(payload: unknown): FunctionError {
  const { errorType, errorMessage, trace } = fieldsOf(payload);
  const [, name] = /^(\w+)(?::|$)/.exec(Array.isArray(trace) ? String(trace[0]) : '') ?? [];
  return { errorType: name ?? String(errorType), errorMessage: String(errorMessage), trace };
}

function answerOf({ result, error }: Ended, { requestId }: Call): LocalAnswer {
  const headers = { 'x-amzn-requestid': requestId, 'x-amz-executed-version': '$LATEST' };
  if (error) return json(200, error, { ...headers, 'x-amz-function-error': 'Unhandled' });
  return json(200, isObject(result) || typeof result === 'string' ? result : null, headers);
}

const empty = (status: number, { requestId }: Call): LocalAnswer => ({
  status,
  headers: { 'x-amzn-requestid': requestId, ...(status !== 204 && { 'content-length': 0 }) },
  body: '',
});

const refusal = (status: number, type: string, message: string): LocalAnswer =>
  json(status, { Type: 'User', Message: message }, { 'x-amzn-errortype': type });
