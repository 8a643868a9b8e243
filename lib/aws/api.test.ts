import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { beforeEach, describe, expect, it } from 'vitest';
import { AWS_CREDENTIALS, type AwsFault, type AwsOptions, startAws, throttled } from '../../test/support/aws.ts';
import { testServers } from '../../test/support/servers.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { visible } from '../../test/support/visible.ts';
import { Failure } from '../errors.ts';
import { systemTiming } from '../time.ts';
import { type AwsApi, type AwsRequest, awsApi, endpointOf } from './api.ts';

const REQUESTS = {
  secretsmanager: {
    service: 'secretsmanager',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' },
    body: '{"SecretId":"key"}',
    totalMillis: 8000,
    about: 'The secret key',
    reason: 'SecretUnavailable',
  },
  events: {
    service: 'events',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
    body: JSON.stringify({ Entries: [{ EventBusName: 'o', Source: 's', DetailType: 'd', Detail: '{"name":"é"}' }] }),
    totalMillis: 8000,
    about: 'The event bus o',
    reason: 'PublishFailed',
  },
  sns: {
    service: 'sns',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action: 'Publish', TopicArn: 'arn:aws:sns:x:1:t', Message: 'a & b\n= é' }).toString(),
    totalMillis: 8000,
    about: 'The topic t',
    reason: 'PublishFailed',
  },
  lambda: {
    service: 'lambda',
    path: `/2015-03-31/functions/${encodeURIComponent('arn:aws:lambda:x:1:function:f:live')}/invocations`,
    headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' },
    body: '{"name":"é"}',
    totalMillis: 8000,
    about: 'The function f',
    reason: 'PublishFailed',
  },
} as const satisfies Readonly<Record<string, AwsRequest>>;
const SERVICES = ['secretsmanager', 'events', 'sns', 'lambda'] as const;

/** Real time, for an attempt that gets no answer. */
const HANG_MILLIS = 100;

const { listen, serve, unused } = testServers();
let time: ReturnType<typeof virtualTime>;
beforeEach(() => {
  time = virtualTime();
});
const timing = () => ({ now: time.now, wait: time.wait, random: () => 0.5 });
const start = (options: AwsOptions = {}) => startAws({ secrets: { key: 'text' }, clock: time.now, ...options });
const api = (env: Readonly<Record<string, string | undefined>>, attemptMillis?: number): AwsApi =>
  awsApi(env, timing(), attemptMillis);

const failureOf = async (sent: Promise<unknown>): Promise<Failure> => {
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error(`not a Failure: ${error}`);
};

describe('a call', () => {
  it.each(SERVICES)('%s: signed → answered, in one request', async (service) => {
    await using aws = await start();
    expect((await api(aws.env)(REQUESTS[service])).status).toBe(service === 'lambda' ? 202 : 200);
    expect(aws.requests).toMatchObject([
      { service, headers: { 'x-amz-security-token': AWS_CREDENTIALS.sessionToken } },
    ]);
    expect(time.waits).toEqual([]);
  });

  it.each(SERVICES)('%s: a permanent key → no session token', async (service) => {
    await using aws = await start({ credentials: { accessKeyId: 'AKIA', secretAccessKey: 'x' } });
    await api({ ...aws.env, AWS_SESSION_TOKEN: '' })(REQUESTS[service]);
    expect(aws.requests[0]?.headers).not.toHaveProperty('x-amz-security-token');
  });

  it('several calls → one connection for each endpoint', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    });
    const call = api({ ...AWS_ENV, AWS_ENDPOINT_URL: url });
    for (const service of SERVICES) await call(REQUESTS[service]);
    expect(ports.size).toBe(1);
  });

  it('keys that change → those of the moment', async () => {
    await using aws = await start();
    const env = { ...aws.env, AWS_ACCESS_KEY_ID: 'another' };
    const call = api(env);
    expect((await failureOf(call(REQUESTS.events))).message).toContain('UnrecognizedClientException');
    Object.assign(env, aws.env);
    await call(REQUESTS.events);
  });
});

const AWS_ENV = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'x' };

describe('an error of AWS', () => {
  const error = (type: string, status = 400): AwsFault => ({ kind: 'error', status, type });
  const answer = (status: number, text: string): AwsFault => ({ kind: 'answer', status, text });

  it.each<[AwsRequest['service'], AwsFault, type: string]>([
    ['secretsmanager', error('ResourceNotFoundException'), '400 ResourceNotFoundException'],
    ['secretsmanager', error('com.amazonaws.secretsmanager#AccessDeniedException'), '400 AccessDeniedException'],
    ['secretsmanager', error('InvalidRequestException'), '400 InvalidRequestException'],
    ['secretsmanager', error('InvalidParameterException'), '400 InvalidParameterException'],
    ['secretsmanager', error('ValidationException'), '400 ValidationException'],
    ['secretsmanager', answer(403, ''), '403 AccessDenied'],
    ['secretsmanager', answer(404, '<html>'), '404 NotFound'],
    ['events', error('AccessDeniedException'), '400 AccessDeniedException'],
    ['events', error('ValidationException'), '400 ValidationException'],
    ['sns', error('NotFound', 404), '404 NotFound'],
    ['sns', error('AuthorizationError', 403), '403 AuthorizationError'],
    ['sns', error('InvalidParameter'), '400 InvalidParameter'],
    ['sns', answer(400, '{"Error":{"Code":"InvalidParameter"}}'), '400 InvalidParameter'],
    // Lambda states the type in a header.
    ['lambda', error('ResourceNotFoundException', 404), '404 ResourceNotFoundException'],
    ['lambda', error('AccessDeniedException', 403), '403 AccessDeniedException'],
  ])('%s: %j → ConfigurationError with its type, at once', async (service, fault, type) => {
    await using aws = await start();
    aws.next(fault);
    const { about } = REQUESTS[service];
    expect(await failureOf(api(aws.env)(REQUESTS[service]))).toMatchObject({
      name: 'ConfigurationError',
      message: `${about}: AWS answered ${type}. Does it exist, and may the function use it?`,
    });
    expect(aws.requests).toHaveLength(1);
  });

  it.each<[AwsRequest['service'], AwsFault, type: string]>([
    ['secretsmanager', throttled, '400 ThrottlingException'],
    ['secretsmanager', error('InternalServiceError', 500), '500 InternalServiceError'],
    ['secretsmanager', error('DecryptionFailure'), '400 DecryptionFailure'],
    ['secretsmanager', error('ExpiredTokenException'), '400 ExpiredTokenException'],
    ['secretsmanager', error('UnrecognizedClientException'), '400 UnrecognizedClientException'],
    ['secretsmanager', error('aws.internal#ServiceUnavailable', 503), '503 ServiceUnavailable'],
    ['secretsmanager', answer(400, 'an unexpected error occurred'), '400 without a type'],
    ['secretsmanager', answer(307, ''), '307 without a type'],
    ['secretsmanager', answer(502, '<html>'), '502 without a type'],
    ['secretsmanager', answer(400, '{"__type":7}'), '400 7'],
    ['secretsmanager', answer(400, '{"__type":"<script>"}'), '400 without a type'],
    ['secretsmanager', error('KMSThrottlingException', 400), '400 KMSThrottlingException'],
    ['secretsmanager', error('KMSInternalException', 500), '500 KMSInternalException'],
    ['events', answer(500, '{"code":"InternalException"}'), '500 InternalException'],
    ['sns', error('Throttled', 429), '429 Throttled'],
    ['lambda', error('TooManyRequestsException', 429), '429 TooManyRequestsException'],
  ])('%s: %j, once → retried', async (service, fault) => {
    await using aws = await start();
    aws.next(fault);
    expect((await api(aws.env)(REQUESTS[service])).status).toBeLessThan(300);
    expect(aws.requests).toHaveLength(2);
    expect(time.waits).toEqual([100]);
  });

  it.each(SERVICES)('%s: always throttled → its reason, after as many attempts as fit', async (service) => {
    await using aws = await start();
    aws.decide = () => ({ kind: 'error', status: 429, type: 'Throttled' });
    const { about, reason } = REQUESTS[service];
    expect(await failureOf(api(aws.env)(REQUESTS[service]))).toMatchObject({
      name: reason,
      message: `${about}: AWS answered 429 Throttled.`,
    });
    expect(time.waits).toEqual([100, 200, 400, 800, 1600, 2500]);
    expect(aws.requests).toHaveLength(7);
  });

  it('totalMillis: less → fewer attempts', async () => {
    await using aws = await start();
    aws.decide = () => throttled;
    await failureOf(api(aws.env)({ ...REQUESTS.events, totalMillis: 1000 }));
    expect(time.waits).toEqual([100, 200, 400]);
  });

  it.each(SERVICES)('%s: a wrong signature → the type, and nothing of what AWS quotes', async (service) => {
    await using aws = await start();
    const env = { ...aws.env, AWS_SECRET_ACCESS_KEY: 'a-wrong-secret-key' };
    const failure = await failureOf(api(env)(REQUESTS[service]));
    expect(failure.message).toContain(service === 'sns' ? 'SignatureDoesNotMatch' : 'InvalidSignature');
    for (const secret of ['Canonical', AWS_CREDENTIALS.sessionToken, 'a-wrong-secret-key', 'AWS4-HMAC'])
      expect(visible(failure)).not.toContain(secret);
  });

  it.each(SERVICES)('%s: an error that quotes the token → not in the failure', async (service) => {
    await using aws = await start();
    const message = `x-amz-security-token:${AWS_CREDENTIALS.sessionToken}`;
    aws.decide = () => ({ kind: 'error', status: 400, type: 'ValidationException', message });
    expect(visible(await failureOf(api(aws.env)(REQUESTS[service])))).not.toContain(AWS_CREDENTIALS.sessionToken);
  });
});

describe('no answer', () => {
  it.each<[AwsFault['kind'], message: RegExp]>([
    ['reset', /^The event bus o: POST 127\.0\.0\.1:\d+\/ was not answered \(ECONNRESET\)\.$/],
    ['half', /^The event bus o: POST 127\.0\.0\.1:\d+\/ was answered in part\.$/],
  ])('%s: once → retried; always → its reason', async (kind, message) => {
    await using aws = await start();
    const fault: AwsFault = kind === 'half' ? { kind } : { kind: 'reset' };
    aws.next(fault);
    await api(aws.env)(REQUESTS.events);
    expect(aws.requests).toHaveLength(2);

    aws.decide = () => fault;
    expect(await failureOf(api(aws.env)(REQUESTS.events))).toMatchObject({
      name: 'PublishFailed',
      message: expect.stringMatching(message),
    });
    expect(aws.requests).toHaveLength(2 + 7);
  });

  it('hang: each attempt ends after its time-out, as many as fit', async () => {
    // Each attempt that hangs takes three seconds of the call's eight.
    await using aws = await start({ onRequest: () => time.advance(3000) });
    aws.decide = () => ({ kind: 'hang' });
    const failure = await failureOf(api(aws.env, HANG_MILLIS)(REQUESTS.secretsmanager));
    expect(failure).toMatchObject({
      name: 'SecretUnavailable',
      message: expect.stringMatching(/^The secret key: POST \S+ was not answered in time\.$/),
    });
    expect(failure.cause).toMatchObject({ name: 'UpstreamTimeout' });
    expect(aws.requests).toHaveLength(3);
    expect(time.waits).toEqual([100, 200]);
  });

  it('hang, once → retried', async () => {
    await using aws = await start();
    aws.next({ kind: 'hang' });
    await api(aws.env, HANG_MILLIS)(REQUESTS.secretsmanager);
    expect(aws.requests).toHaveLength(2);
  });

  it('hang: little time left → the attempt ends with it', async () => {
    await using aws = await start();
    aws.decide = () => ({ kind: 'hang' });
    // With the default of three seconds the test itself would not end in time.
    await failureOf(
      awsApi(aws.env, { ...systemTiming, now: time.now })({ ...REQUESTS.events, totalMillis: HANG_MILLIS }),
    );
    expect(aws.requests).toHaveLength(1);
  });

  it('nothing listens → its reason', async () => {
    const call = api({ ...AWS_ENV, AWS_ENDPOINT_URL_SNS: await unused() });
    expect(await failureOf(call(REQUESTS.sns))).toMatchObject({
      name: 'PublishFailed',
      message: expect.stringMatching(/^The topic t: .*ECONNREFUSED/),
    });
    expect(time.waits).toHaveLength(6);
  });

  it('not HTTP → its reason', async () => {
    const { createServer } = await import('node:net');
    const url = await listen(createServer((socket) => void socket.on('error', () => {}).end('220 smtp\r\n')));
    const call = api({ ...AWS_ENV, AWS_ENDPOINT_URL: url });
    expect(await failureOf(call(REQUESTS.lambda))).toMatchObject({ name: 'PublishFailed' });
  });
});

describe('the environment', () => {
  it.each<[string, Readonly<Record<string, string | undefined>>, message: string]>([
    ['no region', { AWS_REGION: undefined }, 'AWS_REGION is missing'],
    ['no access key', { AWS_ACCESS_KEY_ID: undefined }, 'AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is missing'],
    ['no secret key', { AWS_SECRET_ACCESS_KEY: '' }, 'AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is missing'],
    ['an endpoint without scheme', { AWS_ENDPOINT_URL_EVENTBRIDGE: 'localhost:4566' }, 'AWS_ENDPOINT_URL_EVENTBRIDGE'],
    ['an endpoint that is no URL', { AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://' }, 'AWS_ENDPOINT_URL_EVENTBRIDGE'],
    ['any endpoint that is no URL', { AWS_ENDPOINT_URL_EVENTBRIDGE: '', AWS_ENDPOINT_URL: 'x' }, 'AWS_ENDPOINT_URL '],
  ])('%s → ConfigurationError, no request', async (_, wrong, message) => {
    await using aws = await start();
    expect(await failureOf(api({ ...aws.env, ...wrong })(REQUESTS.events))).toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(message),
    });
    expect(aws.requests).toEqual([]);
  });

  it('AWS_DEFAULT_REGION: without AWS_REGION → the region', async () => {
    await using aws = await start({ region: 'eu-west-1' });
    await api({ ...aws.env, AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-1' })(REQUESTS.events);
  });
});

describe('the endpoint', () => {
  const resolvers = {
    secretsmanager: new SecretsManagerClient().config.endpointProvider,
    events: new EventBridgeClient().config.endpointProvider,
    sns: new SNSClient().config.endpointProvider,
    lambda: new LambdaClient().config.endpointProvider,
  };
  const REGIONS =
    'eu-central-1 eu-central-2 us-east-1 us-gov-west-1 us-gov-east-1 cn-north-1 cn-northwest-1 eusc-de-east-1 us-iso-east-1 us-isob-east-1 us-isof-south-1 eu-isoe-west-1';

  it.each(SERVICES.flatMap((service) => REGIONS.split(' ').map((region) => [service, region] as const)))(
    '%s in %s → that of the official client',
    (service, AWS_REGION) => {
      const { url } = resolvers[service]({ Region: AWS_REGION, UseDualStack: false, UseFIPS: false });
      expect(endpointOf(service, { AWS_REGION })).toBe(url.origin);
    },
  );

  it.each([
    ['the variable of the service', { AWS_ENDPOINT_URL_SNS: 'https://sns.example.com/x' }, 'https://sns.example.com'],
    ['the common variable', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }, 'http://127.0.0.1:4566'],
    [
      'both → that of the service',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_ENDPOINT_URL_SNS: 'http://127.0.0.1:1' },
      'http://127.0.0.1:1',
    ],
    ['that of another service', { AWS_ENDPOINT_URL_LAMBDA: 'http://x' }, 'https://sns.eu-central-1.amazonaws.com'],
  ])('%s', (_, variables, endpoint) => {
    expect(endpointOf('sns', { AWS_REGION: 'eu-central-1', ...variables })).toBe(endpoint);
  });
});
