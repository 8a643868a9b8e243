import { describe, expect, it } from 'vitest';
import { annotate, Failure, InvalidRequest, isReason, REASONS, type Reason } from './errors.ts';

const reasons = Object.keys(REASONS).filter((name): name is Reason => Object.hasOwn(REASONS, name));

describe('the table of reasons', () => {
  it.each(reasons)('%s → a status of an error', (reason) => {
    expect(REASONS[reason].status).toBeGreaterThanOrEqual(400);
    expect(REASONS[reason].status).toBeLessThan(600);
  });

  it('permanent → those that end a request', () => {
    expect(reasons.filter((reason) => REASONS[reason].retry === 'never')).toEqual([
      'InvalidRequest',
      'Unauthorized',
      'InstanceNotFound',
      'BackupNotFound',
      'BackupNameTaken',
      'BackupFailed',
      'DeadlinePassed',
      'DdsRejected',
      'ConfigurationError',
    ]);
  });

  it('outcome unknown → those without an answer that says what happened', () => {
    expect(reasons.filter((reason) => 'outcomeUnknown' in REASONS[reason])).toEqual([
      'DdsUnavailable',
      'UpstreamUnreachable',
      'UpstreamInvalid',
      'UpstreamTimeout',
      'OutcomeUnknown',
    ]);
  });

  it.each(['', 'Error', 'toString', '__proto__', 'instancebusy'])('%j → not a reason', (name) => {
    expect(isReason(name)).toBe(false);
  });
});

describe('Failure', () => {
  it.each(reasons)('%s → retry and outcome of the table', (reason) => {
    const meaning: { readonly retry: string; readonly outcomeUnknown?: boolean } = REASONS[reason];
    expect(new Failure(reason, 'It failed.')).toMatchObject({
      name: reason,
      message: 'It failed.',
      retry: meaning.retry,
      outcomeUnknown: meaning.outcomeUnknown ?? false,
      meaning,
    });
  });

  it('options → win over the table', () => {
    const cause = new Error('private');
    expect(new Failure('UpstreamTimeout', 'x', { retry: 'never', outcomeUnknown: false, cause })).toMatchObject({
      retry: 'never',
      outcomeUnknown: false,
      cause,
    });
  });

  it('message of 2000 characters → cut to 1000', () => {
    expect(new Failure('Throttled', 'x'.repeat(2000)).message).toHaveLength(1000);
  });
});

describe('annotate', () => {
  const SENTENCE = 'The backup may exist.';

  it('twice → both annotations, the same error', () => {
    const failure = new Failure('Throttled', 'x');
    expect(annotate(annotate(failure, { name: 'n', attempts: 1 }), { attempts: 2 })).toBe(failure);
    expect(failure.annotation).toEqual({ name: 'n', attempts: 2 });
    expect(failure.message).toBe('x');
  });

  it('sentence twice → once', () => {
    const failure = new Failure('UpstreamTimeout', 'No answer.');
    annotate(annotate(failure, {}, SENTENCE), {}, SENTENCE);
    expect(failure.message).toBe(`No answer. ${SENTENCE}`);
  });

  it('long message → cut, so that the sentence fits into 1000 characters', () => {
    const { message } = annotate(new Failure('UpstreamTimeout', 'x'.repeat(1000)), {}, SENTENCE);
    expect(message).toHaveLength(1000);
    expect(message.endsWith(`x ${SENTENCE}`)).toBe(true);
  });
});

describe('InvalidRequest', () => {
  const details = (count: number) => Array.from({ length: count }, (_, i) => ({ path: `/f${i}`, message: 'is wrong' }));

  it.each([
    [0, 'It is wrong'],
    [1, 'It is wrong: /f0 is wrong'],
    [2, 'It is wrong: /f0 is wrong; /f1 is wrong'],
  ])('%i details → in the message', (count, message) => {
    expect(new InvalidRequest(400, 'It is wrong', details(count)).message).toBe(message);
  });

  it('path of the whole request → /', () => {
    expect(new InvalidRequest(400, 'It is wrong', [{ path: '', message: 'must be of type object' }]).message).toBe(
      'It is wrong: / must be of type object',
    );
  });

  it('500 details → 20 in the message, 100 in all, none where the error is logged whole', () => {
    const error = new InvalidRequest(422, 'It is wrong', details(500), { allow: 'POST' });
    expect(error.message).toMatch(/f19 is wrong; and 480 more$/);
    expect(error.details).toHaveLength(100);
    expect(error).toMatchObject({ status: 422, headers: { allow: 'POST' }, retry: 'never' });
    expect(JSON.stringify(error)).not.toContain('f50');
  });
});
