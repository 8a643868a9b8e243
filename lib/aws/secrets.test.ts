import { describe, expect, it } from 'vitest';
import { type Aws, type AwsFault, type AwsOptions, startAws, throttled } from '../../test/support/aws.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { awsApi } from './api.ts';
import { secretsManager } from './secrets.ts';

const time = virtualTime();
const start = (options: AwsOptions = {}) =>
  startAws({ secrets: { 'dds/key': '{"ak":"a"}', binary: undefined, empty: '' }, clock: time.now, ...options });
const reader = ({ env }: Aws, attemptMillis?: number) =>
  secretsManager(awsApi(env, { now: time.now, wait: time.wait, random: () => 0.5 }, attemptMillis));

describe('a secret', () => {
  it.each([
    ['dds/key', '{"ak":"a"}'],
    ['empty', ''],
  ])('%s → its text, as it is', async (name, text) => {
    await using aws = await start();
    expect(await reader(aws)(name)).toBe(text);
    expect(aws.requests).toMatchObject([{ operation: 'GetSecretValue', body: { SecretId: name }, status: 200 }]);
  });

  it.each<[string, name: string, AwsFault | undefined, message: string]>([
    ['missing', 'other', undefined, 'The secret other: AWS answered 400 ResourceNotFoundException.'],
    ['without text', 'binary', undefined, 'The secret binary holds no text. Store {"ak":"…","sk":"…"} in it.'],
    [
      'no right to read it',
      'dds/key',
      { kind: 'error', status: 400, type: 'AccessDeniedException' },
      'The secret dds/key: AWS answered 400 AccessDeniedException.',
    ],
    [
      'being deleted',
      'dds/key',
      { kind: 'error', status: 400, type: 'InvalidRequestException' },
      'The secret dds/key: AWS answered 400 InvalidRequestException.',
    ],
  ])('%s → ConfigurationError, one request', async (_, name, fault, message) => {
    await using aws = await start();
    aws.next(fault);
    await expect(reader(aws)(name)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(message),
    });
    expect(aws.requests).toHaveLength(1);
  });

  it.each<[string, AwsFault, message: RegExp]>([
    ['throttled', throttled, /^The secret dds\/key: AWS answered 400 ThrottlingException\.$/],
    ['faulty', { kind: 'error', status: 500, type: 'InternalServiceError' }, /500 InternalServiceError\.$/],
    ['reset', { kind: 'reset' }, /^The secret dds\/key: POST .* was not answered/],
    ['half an answer', { kind: 'half' }, /was answered in part/],
    ['no answer', { kind: 'hang' }, /was not answered in time/],
  ])('%s: once → its text; always → SecretUnavailable', async (_, fault, message) => {
    await using aws = await start();
    const read = reader(aws, fault.kind === 'hang' ? 100 : undefined);
    aws.next(fault);
    expect(await read('dds/key')).toBe('{"ak":"a"}');
    expect(aws.requests).toHaveLength(2);

    aws.decide = () => fault;
    await expect(read('dds/key')).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: expect.stringMatching(message),
    });
    expect(aws.requests.length).toBeGreaterThan(3);
  });

  it('an answer that is not JSON → SecretUnavailable', async () => {
    await using aws = await start();
    aws.next({ kind: 'answer', status: 200, text: '<html>{"SecretString":"x"}' });
    await expect(reader(aws)('dds/key')).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: 'The secret dds/key: the answer is not JSON.',
    });
  });

  it('always faulty → given up within eight seconds', async () => {
    await using aws = await start();
    aws.decide = () => throttled;
    const begin = time.now().getTime();
    await expect(reader(aws)('dds/key')).rejects.toThrow();
    const elapsed = time.now().getTime() - begin;
    expect(elapsed).toBeGreaterThan(4000);
    expect(elapsed).toBeLessThanOrEqual(8000);
  });
});
