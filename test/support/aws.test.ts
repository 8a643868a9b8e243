import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { AWS_CREDENTIALS, type Aws, type AwsOptions, type AwsServiceName, startAws, throttled } from './aws.ts';
import type { AwsCredentials } from './aws-signature.ts';

const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:backups';
const FUNCTION = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:live';

interface Caller {
  readonly credentials?: AwsCredentials;
  readonly region?: string;
}

const config = ({ url }: Aws, { credentials = AWS_CREDENTIALS, region = 'eu-central-1' }: Caller = {}) => ({
  endpoint: url,
  region,
  credentials,
  maxAttempts: 1,
});

const getSecret = (aws: Aws, caller?: Caller, SecretId = 'key') =>
  new SecretsManagerClient(config(aws, caller)).send(new GetSecretValueCommand({ SecretId }));
const putEvents = (aws: Aws, Entries: PutEventsCommand['input']['Entries'], caller?: Caller) =>
  new EventBridgeClient(config(aws, caller)).send(new PutEventsCommand({ Entries }));
const publish = (aws: Aws, caller?: Caller, Message = 'It failed: <why> & "how"', TopicArn = TOPIC) =>
  new SNSClient(config(aws, caller)).send(new PublishCommand({ TopicArn, Subject: 'Backup failed', Message }));
const invoke = (aws: Aws, caller?: Caller, FunctionName = FUNCTION, Payload = '{"a":"é"}') =>
  new LambdaClient(config(aws, caller)).send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));

const TIME = new Date('2026-03-01T12:00:00Z');
const entry = { EventBusName: 'orders', Source: 'test', DetailType: 'Done', Detail: '{"id":"a"}', Time: TIME };

const CALLS: Readonly<Record<AwsServiceName, (aws: Aws, caller?: Caller) => Promise<unknown>>> = {
  secretsmanager: getSecret,
  events: (aws, caller) => putEvents(aws, [entry], caller),
  sns: publish,
  lambda: invoke,
};
const SERVICES = ['secretsmanager', 'events', 'sns', 'lambda'] as const;

const start = (options: AwsOptions = {}) => startAws({ secrets: { key: '{"ak":"a"}', binary: undefined }, ...options });

describe('the official clients', () => {
  it('Secrets Manager: the secret', async () => {
    await using aws = await start();
    expect(await getSecret(aws)).toMatchObject({ Name: 'key', SecretString: '{"ak":"a"}' });
    expect((await getSecret(aws, {}, 'binary')).SecretBinary).toEqual(new Uint8Array([0]));
    await expect(getSecret(aws, {}, 'other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(aws.requests).toMatchObject([
      { service: 'secretsmanager', operation: 'GetSecretValue', body: { SecretId: 'key' }, status: 200 },
      { body: { SecretId: 'binary' } },
      { status: 400, error: 'ResourceNotFoundException' },
    ]);
  });

  it('EventBridge: events, each accepted or refused', async () => {
    await using aws = await start();
    const { FailedEntryCount, Entries } = await putEvents(aws, [
      entry,
      { ...entry, Detail: 'no object' },
      { ...entry, Source: '' },
    ]);
    expect(FailedEntryCount).toBe(2);
    expect(Entries).toMatchObject([
      { EventId: expect.any(String) },
      { ErrorCode: 'MalformedDetail' },
      { ErrorCode: 'InvalidArgument' },
    ]);
    expect(aws.events).toEqual([{ bus: 'orders', source: 'test', type: 'Done', time: TIME, detail: { id: 'a' } }]);
  });

  it.each([
    ['11 entries', Array(11).fill(entry)],
    ['no entry', []],
    ['more than 256 kB in all', Array(3).fill({ ...entry, Detail: JSON.stringify({ text: 'x'.repeat(90_000) }) })],
  ])('EventBridge: %s → ValidationException, no event accepted', async (_, entries) => {
    await using aws = await start();
    await expect(putEvents(aws, entries)).rejects.toMatchObject({ name: 'ValidationException' });
    expect(aws.events).toEqual([]);
  });

  it('SNS: a message', async () => {
    await using aws = await start({ topics: [TOPIC] });
    expect(await publish(aws)).toMatchObject({ MessageId: expect.any(String) });
    await expect(publish(aws, {}, 'x', `${TOPIC}-2`)).rejects.toMatchObject({ name: 'NotFoundException' });
    await expect(publish(aws, {}, 'x'.repeat(256 * 1024 + 1))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Invalid parameter: Message too long',
    });
    expect(aws.messages).toMatchObject([{ TopicArn: TOPIC, Message: 'It failed: <why> & "how"' }]);
  });

  it('Lambda: an asynchronous invocation, by name or ARN', async () => {
    await using aws = await start({ functions: [FUNCTION, 'deferred'] });
    expect(await invoke(aws)).toMatchObject({ StatusCode: 202 });
    await invoke(aws, {}, 'deferred');
    await expect(invoke(aws, {}, 'other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(invoke(aws, {}, 'deferred', '{')).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
    expect(aws.invocations).toEqual([
      { name: FUNCTION, payload: { a: 'é' } },
      { name: 'deferred', payload: { a: 'é' } },
    ]);
  });
});

describe('signatures', () => {
  const { accessKeyId, secretAccessKey, sessionToken } = AWS_CREDENTIALS;
  const expected = { secretsmanager: 'Exception', events: 'Exception', lambda: 'Exception', sns: '' };

  it.each(SERVICES)('%s: a wrong secret key → refused', async (service) => {
    await using aws = await start();
    const call = CALLS[service](aws, { credentials: { accessKeyId, secretAccessKey: 'other', sessionToken } });
    const name = service === 'sns' ? 'SignatureDoesNotMatch' : 'InvalidSignatureException';
    await expect(call).rejects.toMatchObject({ name });
    expect(aws.requests).toMatchObject([{ service, status: ['sns', 'lambda'].includes(service) ? 403 : 400 }]);
  });

  it.each(SERVICES.flatMap((service) => [[service, 'no'] as const, [service, 'another'] as const]))(
    '%s: %s session token → refused',
    async (service, which) => {
      await using aws = await start();
      const credentials = { accessKeyId, secretAccessKey, ...(which === 'another' && { sessionToken: 'x' }) };
      const name = service === 'sns' ? 'InvalidClientTokenId' : `UnrecognizedClient${expected[service]}`;
      await expect(CALLS[service](aws, { credentials })).rejects.toMatchObject({ name });
    },
  );

  it('a permanent key needs no session token', async () => {
    const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'x' };
    await using aws = await start({ credentials });
    expect(aws.env).not.toHaveProperty('AWS_SESSION_TOKEN');
    await getSecret(aws, { credentials });
  });

  it('another region → refused', async () => {
    await using aws = await start();
    await expect(getSecret(aws, { region: 'eu-west-1' })).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  it.each([-6, 6])('%d minutes from the clock → refused', async (minutes) => {
    await using aws = await start({ clock: () => new Date(Date.now() + minutes * 60_000) });
    await expect(getSecret(aws)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringContaining('Signature expired'),
    });
  });

  it.each<[what: string, headers: Record<string, string>, type: string]>([
    ['no signature', {}, 'MissingAuthenticationTokenException'],
    ['a malformed one', { authorization: 'AWS4-HMAC-SHA256 Credential=x' }, 'IncompleteSignatureException'],
  ])('%s → refused', async (_, headers, __type) => {
    await using aws = await start();
    const answer = await fetch(aws.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'secretsmanager.GetSecretValue', ...headers },
      body: '{"SecretId":"key"}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type });
  });

  it.each<[what: string, change: (request: { body: string; headers: Record<string, string> }) => void]>([
    ['body', (request) => Object.assign(request, { body: '{"SecretId":"kez"}' })],
    ['signed header', ({ headers }) => Object.assign(headers, { 'x-amz-date': '20260301T120001Z' })],
    ['unsigned x-amz- header', ({ headers }) => Object.assign(headers, { 'x-amz-added': '1' })],
  ])('another %s than what was signed → refused', async (_, change) => {
    await using aws = await start({ clock: () => TIME });
    const { default: aws4 } = await import('aws4');
    const { host } = new URL(aws.url);
    const body = '{"SecretId":"key"}';
    const given = { host, 'x-amz-date': '20260301T120000Z', 'x-amz-target': 'secretsmanager.GetSecretValue' };
    const options = { service: 'secretsmanager', region: 'eu-central-1', host, method: 'POST', path: '/' };
    const { headers } = aws4.sign({ ...options, headers: given, body }, AWS_CREDENTIALS);
    const request = {
      body,
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k, String(v)])),
    };
    const send = () => fetch(aws.url, { method: 'POST', ...request }).then((answer) => answer.status);
    expect(await send()).toBe(200);
    change(request);
    expect(await send()).toBe(400);
  });
});

describe('faults', () => {
  it('an error of any type, throttling, any answer', async () => {
    await using aws = await start();
    aws.next({ kind: 'error', status: 500, type: 'InternalFailure' }, throttled, {
      kind: 'answer',
      status: 200,
      text: '{"SecretString":"other"}',
    });
    await expect(getSecret(aws)).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(getSecret(aws)).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await getSecret(aws)).toMatchObject({ SecretString: 'other' });
    expect(await getSecret(aws)).toMatchObject({ SecretString: '{"ak":"a"}' });
  });

  it.each(['reset', 'half'] as const)('%s → the client has no answer, the request is recorded', async (kind) => {
    await using aws = await start();
    aws.next({ kind });
    await expect(getSecret(aws)).rejects.toThrow();
    expect(aws.requests).toHaveLength(1);
  });

  it('hang → no answer until the stand-in closes', async () => {
    const arrived = Promise.withResolvers<void>();
    const aws = await start({ onRequest: ({ service }) => service === 'events' && arrived.resolve() });
    aws.decide = ({ service }) => (service === 'events' ? { kind: 'hang' } : undefined);
    await getSecret(aws);
    const ended = expect(putEvents(aws, [entry])).rejects.toThrow();
    await arrived.promise;
    await aws.close();
    await ended;
    expect(aws.requests.map(({ status }) => status)).toEqual([200, undefined]);
  });

  it('refuse → these entries of PutEvents, with their codes', async () => {
    await using aws = await start();
    aws.next({ kind: 'refuse', entries: { 1: 'ThrottlingException' } });
    const { Entries } = await putEvents(aws, [entry, entry]);
    expect(Entries).toMatchObject([{ EventId: expect.any(String) }, { ErrorCode: 'ThrottlingException' }]);
    expect(aws.events).toHaveLength(1);
  });
});
