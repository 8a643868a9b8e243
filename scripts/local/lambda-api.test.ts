/** Lambda's API before a server that answers as serverless-offline does, called by the AWS SDK. */
import { InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseRecord } from '../../lib/aws/destination-record.ts';
import { fieldsOf } from '../../lib/json.ts';
import { type Ended, lambdaApi } from './lambda-api.ts';
import { portSource } from './ports.ts';
import { json, type LocalAnswer, type LocalRequest, serve } from './relay.ts';

const freePort = portSource(10_000);
const FUNCTIONS = ['event-bus', 'invoke', 'deferred', 'monitor'].map((name) => `dds-backup-trigger-dev-${name}`);
const INVOKE = 'dds-backup-trigger-dev-invoke';
const PAYLOAD = { backup: { instance_id: 'a', name_prefix: 'nightly' } };

/** An error as serverless-offline passes it on. */
const failed: LocalAnswer = json(
  200,
  { errorMessage: 'busy', errorType: 'Error', trace: ['InstanceBusy: busy', '    at f'] },
  { 'x-amz-function-error': 'Unhandled' },
);
const BUSY = { errorType: 'InstanceBusy', errorMessage: 'busy', trace: ['InstanceBusy: busy', '    at f'] };

let offline: LocalRequest[];
let deferred: unknown[];
let printed: string[];
beforeEach(() => {
  offline = [];
  deferred = [];
  printed = [];
});

async function started(answer: LocalAnswer, ended: Ended = {}) {
  const [offlinePort, port] = [await freePort(), await freePort()];
  const servers = [
    await serve(offlinePort, async (request) => {
      offline.push(request);
      return answer;
    }),
    await serve(
      port,
      lambdaApi({
        offlinePort,
        functions: FUNCTIONS,
        defer: async (payload) => {
          deferred.push(payload);
          return ended;
        },
        print: (line) => printed.push(line),
      }),
    ),
  ];
  onTestFinished(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new LambdaClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
  const invoke = async (FunctionName: string, type?: InvocationType, payload: unknown = PAYLOAD) => {
    const command = { FunctionName, Payload: JSON.stringify(payload), ...(type && { InvocationType: type }) };
    const { StatusCode, FunctionError, Payload, $metadata } = await client.send(new InvokeCommand(command));
    const text = Payload?.transformToString() ?? '';
    return { StatusCode, FunctionError, payload: text === '' ? undefined : JSON.parse(text), id: $metadata.requestId };
  };
  return { endpoint, invoke };
}

const contextOf = (request: LocalRequest | undefined) =>
  JSON.parse(Buffer.from(String(request?.headers['x-amz-client-context']), 'base64').toString());

describe('call that waits', () => {
  it('function returns → its result', async () => {
    const { invoke } = await started(json(200, { backup_id: 'b' }));
    const answer = await invoke(INVOKE);
    expect(answer).toEqual({
      StatusCode: 200,
      FunctionError: undefined,
      payload: { backup_id: 'b' },
      id: contextOf(offline[0]).requestId,
    });
    expect(JSON.parse(String(offline[0]?.body))).toEqual(PAYLOAD);
    expect(offline[0]?.path).toBe(`/2015-03-31/functions/${INVOKE}/invocations`);
  });

  it('function fails → the name and the message of its error, and no retry', async () => {
    const { invoke } = await started(failed);
    expect(await invoke(INVOKE)).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', payload: BUSY });
    expect(deferred).toEqual([]);
  });

  it.each([
    [{ result: { backup_id: 'b' } }, { FunctionError: undefined, payload: { backup_id: 'b' } }],
    [{ error: BUSY }, { FunctionError: 'Unhandled', payload: BUSY }],
  ])('deferred ends with %j → that', async (ended, answer) => {
    const { invoke } = await started(failed, ended);
    expect(await invoke('dds-backup-trigger-dev-deferred')).toMatchObject(answer);
    expect(deferred).toEqual([PAYLOAD]);
    expect(offline).toEqual([]);
  });
});

describe('call that does not wait', () => {
  it('function returns → 202, and nothing more', async () => {
    const { invoke } = await started(json(200, { backup_id: 'b' }));
    expect(await invoke(INVOKE, 'Event')).toMatchObject({ StatusCode: 202, payload: undefined });
    await vi.waitUntil(() => offline.length === 1);
    expect(offline[0]?.headers).not.toHaveProperty('x-amz-invocation-type');
    expect(printed).toEqual([]);
  });

  it.each(['event-bus', 'invoke'])('%s fails → 202, and deferred gets the record that Lambda writes', async (name) => {
    const { invoke } = await started(failed);
    const payload = { ...PAYLOAD, id: 'i', time: new Date().toISOString(), detail: PAYLOAD };
    const { StatusCode, id } = await invoke(`dds-backup-trigger-dev-${name}`, 'Event', payload);
    expect(StatusCode).toBe(202);
    await vi.waitUntil(() => deferred.length === 1);
    expect(printed).toEqual([`dds-backup-trigger-dev-${name} failed: InstanceBusy: busy`]);
    const [record] = deferred;
    expect(record).toMatchObject({
      requestContext: {
        requestId: id,
        functionArn: expect.stringContaining(`:function:dds-backup-trigger-dev-${name}:`),
      },
      requestPayload: payload,
      responsePayload: BUSY,
    });
    const sample = (await import('../../events/deferred.json', { with: { type: 'json' } })).default;
    expect(Object.keys(fieldsOf(record))).toEqual(Object.keys(sample));
    if (name === 'event-bus') expect(parseRecord(record)).toMatchObject({ error: { reason: 'InstanceBusy' } });
  });

  it('monitor fails → printed, and no retry', async () => {
    const { invoke } = await started(failed);
    await invoke('dds-backup-trigger-dev-monitor', 'Event');
    await vi.waitUntil(() => printed.length === 1);
    expect(printed).toEqual(['dds-backup-trigger-dev-monitor failed: InstanceBusy: busy']);
    expect(deferred).toEqual([]);
  });

  it('deferred, by its ARN with an alias → runs with the payload', async () => {
    const { invoke } = await started(failed, { error: BUSY });
    await invoke('arn:aws:lambda:eu-central-1:123456789012:function:dds-backup-trigger-dev-deferred:live', 'Event');
    await vi.waitUntil(() => deferred.length === 1);
    expect(deferred).toEqual([PAYLOAD]);
    expect(offline).toEqual([]);
  });

  it('serverless-offline is gone → printed', async () => {
    const port = await freePort();
    const lambda = lambdaApi({
      offlinePort: await freePort(),
      functions: FUNCTIONS,
      defer: async () => ({}),
      print: (line) => printed.push(line),
    });
    await using _ = await serve(port, lambda);
    const path = `/2015-03-31/functions/${INVOKE}/invocations`;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'x-amz-invocation-type': 'Event' },
    });
    expect(response.status).toBe(202);
    await vi.waitUntil(() => printed.length === 1);
    expect(printed[0]).toMatch(/^dds-backup-trigger-dev-invoke failed: .*ECONNREFUSED/);
  });
});

describe('other calls', () => {
  it.each(['RequestResponse', 'Event', 'DryRun'] as const)('%s, no such function → an error', async (type) => {
    const { invoke } = await started(failed);
    await expect(invoke('nope', type)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Function not found: nope',
    });
    expect(offline).toEqual([]);
  });

  it('DryRun → 204', async () => {
    const { invoke } = await started(failed);
    expect(await invoke(INVOKE, InvocationType.DryRun)).toMatchObject({ StatusCode: 204 });
    expect(offline).toEqual([]);
  });

  it.each([
    [`/2015-03-31/functions/${INVOKE}/invocations`, '{', {}, 400, 'InvalidRequestContentException'],
    [
      `/2015-03-31/functions/${INVOKE}/invocations`,
      '{}',
      { 'x-amz-invocation-type': 'Later' },
      400,
      'InvalidParameterValueException',
    ],
    [`/2014-11-13/functions/${INVOKE}/invoke-async/`, '{}', {}, 404, 'ResourceNotFoundException'],
    ['/', '{}', { 'x-amz-target': 'secretsmanager.GetSecretValue' }, 404, 'ResourceNotFoundException'],
  ])('%s %s %j → %i %s', async (path, body, headers, status, type) => {
    const { endpoint } = await started(failed);
    const response = await fetch(endpoint + path, { method: 'POST', headers, body });
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([status, type]);
    expect(offline).toEqual([]);
  });

  it('event for the bus → printed', async () => {
    const { endpoint } = await started(failed);
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({ Entries: [{ DetailType: 'DDS Backup Completed', Detail: '{"id":"b"}' }] }),
    });
    expect(await response.json()).toEqual({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    expect(printed).toEqual(['published: DDS Backup Completed {"id":"b"}']);
  });
});
