import { beforeEach, describe, expect, it, vi } from 'vitest';
import { logLines } from '../../test/support/log-lines.ts';
import type { Result } from '../backup/create.ts';
import { DdsError } from '../dds/errors.ts';
import { annotate, Failure, REASONS, type Reason } from '../errors.ts';
import { describeError, describeRequest, log, logFailure, logRejected, logResult, originOf } from './log.ts';

const VARIABLES = ['OTC_SDK_PROJECTS', 'OTC_SDK_PROJECT_ID', 'OTC_SDK_REGION', 'STAGE', 'AWS_LAMBDA_LOG_FORMAT'];
const lines = logLines();
beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, '');
  return () => void vi.unstubAllEnvs();
});

const ABOUT = { trigger: 'http', idempotency_key: 'k', duration_ms: 7 };
const reasons = Object.keys(REASONS).filter((name): name is Reason => Object.hasOwn(REASONS, name));

describe('logResult', () => {
  it.each<[Result, object]>([
    [
      { kind: 'accepted', job_id: 'j', backup_id: 'b', name: 'n', attempts: 2, status: 202, text: '{"private":1}' },
      { event: 'request.accepted', ...ABOUT, name: 'n', backup_id: 'b', job_id: 'j', attempts: 2 },
    ],
    [
      { kind: 'replayed', backup_id: 'b', name: 'n', attempts: 1 },
      { event: 'request.replayed', ...ABOUT, name: 'n', backup_id: 'b', attempts: 1 },
    ],
  ])('%j → one line, without the answer itself', (result, line) => {
    logResult(ABOUT, result);
    expect(lines).toStrictEqual([{ level: 'info', ...line }]);
  });
});

describe('logFailure', () => {
  it.each(reasons)('%s → request.rejected or request.failed, as the table of reasons has it', (reason) => {
    logFailure(ABOUT, new Failure(reason, 'It failed.'));
    const { level } = REASONS[reason];
    expect(lines).toMatchObject([
      {
        level,
        event: level === 'warn' ? 'request.rejected' : 'request.failed',
        ...ABOUT,
        reason,
        message: 'It failed.',
      },
    ]);
  });

  it('error that is not ours → request.failed, nothing of it', () => {
    logFailure(ABOUT, new TypeError('private'));
    expect(lines).toStrictEqual([{ level: 'error', event: 'request.failed', ...ABOUT, reason: 'Unexpected' }]);
  });
});

it('logRejected: reason that is not ours → request.failed', () => {
  logRejected(ABOUT, { reason: 'Runtime.ExitError' });
  expect(lines).toMatchObject([{ level: 'error', event: 'request.failed', reason: 'Runtime.ExitError' }]);
});

describe('originOf', () => {
  const single = { OTC_SDK_PROJECT_ID: 'p', OTC_SDK_REGION: 'eu-nl', STAGE: 'prod' };

  it.each([
    ['one project', single, { project_id: 'p', region: 'eu-nl', stage: 'prod' }],
    ['several → the stage only', { ...single, OTC_SDK_PROJECTS: 'eu-de:a,eu-nl:b' }, { stage: 'prod' }],
    ['nothing', {}, {}],
  ])('%s', (_, env, origin) => {
    expect(originOf(env)).toEqual(origin);
  });
});

describe('describeError', () => {
  it('of DDS → with its status and code', () => {
    const answer = { status: 403, headers: {}, text: 'private' };
    const error = new DdsError(answer, { error_code: 'DBS.201015', error_msg: 'Busy.' }, new Date());
    expect(describeError(error)).toStrictEqual({
      reason: 'InstanceBusy',
      message: 'DDS answered 403 DBS.201015: Busy.',
      dds_status: 403,
      dds_code: 'DBS.201015',
    });
  });

  it('annotated → with name, attempts and backup', () => {
    const backup = { id: 'b', name: 'n', instance_id: 'i', status: 'FAILED' };
    const error = annotate(new Failure('BackupNameTaken', 'Taken.'), { name: 'n', attempts: 3, backup });
    expect(describeError(error)).toStrictEqual({
      name: 'n',
      attempts: 3,
      backup,
      reason: 'BackupNameTaken',
      message: 'Taken.',
    });
  });

  it('outcome unknown → says so', () => {
    expect(describeError(new Failure('UpstreamTimeout', 'No answer.'))).toMatchObject({ outcome_unknown: true });
    expect(describeError(new Failure('UpstreamTimeout', 'x', { outcomeUnknown: false }))).not.toHaveProperty(
      'outcome_unknown',
    );
  });

  it.each<[string, Error, string | undefined]>([
    ['a Failure → its message', new Failure('SecretUnavailable', 'No answer.'), 'No answer.'],
    ['any other → none', new TypeError('private'), undefined],
  ])('cause: %s', (_, cause, expected) => {
    expect(describeError(new Failure('ConfigurationError', 'x', { cause })).cause).toBe(expected);
  });

  it.each([undefined, null, 'text', new Error('private'), { name: 'InstanceBusy', message: 'private' }])(
    'not a Failure: %j → Unexpected alone',
    (error) => {
      expect(describeError(error)).toStrictEqual({ reason: 'Unexpected' });
    },
  );
});

describe('describeRequest', () => {
  it.each([
    [{ backup: { instance_id: 'i', name: 'n' } }, { instance_id: 'i' }],
    [{ backup: { instance_id: 'x'.repeat(100) } }, { instance_id: 'x'.repeat(64) }],
    [{ backup: { instance_id: 7 } }, {}],
    [{ backup: null }, {}],
    [{ backup: 'text' }, {}],
    [{}, {}],
    [null, {}],
    ['{"backup":{"instance_id":"i"}}', {}],
  ])('%j → %j', (request, description) => {
    expect(describeRequest(request)).toStrictEqual(description);
  });
});

describe('log', () => {
  it.each(['info', 'warn', 'error'] as const)('%s → a line of JSON at that level', (level) => {
    log(level, { event: 'x', time: new Date(0) });
    expect(lines).toStrictEqual([{ level, event: 'x', time: '1970-01-01T00:00:00.000Z' }]);
  });

  it('JSON log format of Lambda → an object, which becomes part of the line', () => {
    vi.stubEnv('AWS_LAMBDA_LOG_FORMAT', 'JSON');
    const logged: unknown[] = [];
    vi.spyOn(console, 'info').mockImplementation((...line) => void logged.push(...line));
    log('info', { event: 'x' });
    expect(logged).toEqual([{ event: 'x' }]);
  });
});
