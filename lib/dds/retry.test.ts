import { describe, expect, it } from 'vitest';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { Failure, type Reason } from '../errors.ts';
import { DdsError } from './errors.ts';
import { type Budget, backoffMillis, retry } from './retry.ts';

/** Fails with each of these in turn, then answers. */
async function retried(
  failures: readonly unknown[],
  { millis = 60_000, signal = undefined as AbortSignal | undefined } = {},
) {
  const time = virtualTime();
  const end = time.now().getTime() + millis;
  const budget: Budget = { timeLeft: () => end - time.now().getTime(), signal };
  const left = [...failures];
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (left.length > 0) throw left.shift();
    return 'answer';
  };
  const attempted = await retry(ask, budget, { now: time.now, wait: time.wait, random: () => 0.5 });
  return { attempted, asked, waits: time.waits };
}

const failure = (reason: Reason) => new Failure(reason, 'It failed.');
const refusal = (status: number, error_code: string, retryAfter?: string) =>
  new DdsError(
    { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter }, text: '' },
    { error_code },
    new Date(),
  );
const ambiguous = () => refusal(400, 'DBS.212003');

describe('retry', () => {
  it('answer → one attempt', async () => {
    expect(await retried([])).toEqual({ attempted: { answer: 'answer', attempts: 1 }, asked: 1, waits: [] });
  });

  it.each<[Reason, number]>([
    ['Throttled', 2],
    ['DdsUnavailable', 2],
    ['UpstreamUnreachable', 2],
    ['UpstreamInvalid', 2],
    ['UpstreamTimeout', 2],
    ['InstanceBusy', 1],
    ['BackupNameTaken', 1],
    ['CredentialsRefused', 1],
    ['DdsRejected', 1],
    ['SecretUnavailable', 1],
    ['ConfigurationError', 1],
  ])('%s → asked %i times', async (reason, attempts) => {
    expect((await retried([failure(reason)])).asked).toBe(attempts);
  });

  it.each([
    [[ambiguous()], 2, 'answer'],
    [[ambiguous(), ambiguous()], 2, 'refusal'],
    [[failure('Throttled'), ambiguous(), failure('Throttled'), ambiguous()], 4, 'refusal'],
  ])('ambiguous refusals → one of them is retried', async (failures, asked, what) => {
    const found = await retried(failures);
    expect(found.asked).toBe(asked);
    expect(found.attempted).toHaveProperty(what);
  });

  it.each<[readonly Reason[], boolean]>([
    [['InstanceBusy'], false],
    [['Throttled', 'InstanceBusy'], false],
    [['UpstreamTimeout', 'InstanceBusy'], true],
    [['UpstreamUnreachable', 'Throttled', 'DdsRejected'], true],
  ])('%j → outcome unknown: %s', async (reasons, outcomeUnknown) => {
    expect((await retried(reasons.map(failure))).attempted).toMatchObject({
      refusal: { name: reasons.at(-1) },
      attempts: reasons.length,
      outcomeUnknown,
    });
  });

  it('Retry-After → waited for besides the backoff', async () => {
    expect((await retried([refusal(429, 'X', '3'), refusal(429, 'X', '0')])).waits).toEqual([3100, 200]);
  });

  it.each([
    [350, 1],
    [349, 0],
  ])('%i ms left, pause of 100 ms → %i further attempts', async (millis, further) => {
    expect((await retried([failure('Throttled')], { millis })).asked).toBe(1 + further);
  });

  it('signal → no further attempt', async () => {
    expect((await retried([failure('Throttled')], { signal: AbortSignal.abort() })).asked).toBe(1);
  });

  it('error that is not a Failure → thrown', async () => {
    await expect(retried([new TypeError('a bug')])).rejects.toThrow('a bug');
  });
});

describe('backoffMillis', () => {
  it.each([
    [0, 1, 200],
    [1, 1, 400],
    [4, 1, 3200],
    [5, 1, 5000],
    [1000, 1, 5000],
    [3, 0, 0],
    [3, 0.25, 400],
  ])('after %i failures, draw %d → %i ms', (failures, draw, millis) => {
    expect(backoffMillis(failures, () => draw)).toBe(millis);
  });
});
