import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { describe, expect, it } from 'vitest';
import { lambdaContext } from '../../test/support/lambda.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { runDurableExecution } from './durable-execution.ts';

/** Waits, fails twice, and ends in a result or in an error. */
const handlerThatEnds = (how: 'well' | 'badly') =>
  withDurableExecution(async (event: { greeting: string }, context: DurableContext) => {
    await context.wait('a-wait', { seconds: 60 });
    const attempts = await context.step(
      'a-step',
      async ({ attempt }) => {
        if (attempt < 3) throw new RangeError(`attempt ${attempt}`);
        return attempt;
      },
      { retryStrategy: (_, attempt) => ({ shouldRetry: true, delay: { seconds: 100 * attempt } }) },
    );
    if (how === 'well') return { ...event, attempts };
    return context.step(
      'the-end',
      async () => {
        throw new RangeError('enough');
      },
      { retryStrategy: () => ({ shouldRetry: false }) },
    );
  });

const run = (how: 'well' | 'badly', more: object = {}) => {
  const time = virtualTime();
  const waits: [string, number][] = [];
  return runDurableExecution({
    handler: handlerThatEnds(how),
    payload: { greeting: 'hello' },
    context: () => lambdaContext(),
    now: time.now,
    wait: async (millis, operation) => {
      waits.push([operation, millis / 1000]);
      time.advance(millis);
    },
    ...more,
  }).then((end) => ({ ...end, waits }));
};

/** The same through what AWS gives its users to test with. */
async function runByAws(how: 'well' | 'badly') {
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: true });
  try {
    const runner = new LocalDurableTestRunner({ handlerFunction: handlerThatEnds(how) });
    const execution = await runner.run({ payload: { greeting: 'hello' } });
    const status = execution.getStatus();
    return {
      status,
      result: status === 'SUCCEEDED' ? execution.getResult() : undefined,
      error: status === 'SUCCEEDED' ? undefined : execution.getError(),
      invocations: execution.getInvocations().length,
      operations: execution
        .getOperations()
        .map((operation) => [operation.getName(), operation.getType(), operation.getStatus()]),
    };
  } finally {
    await LocalDurableTestRunner.teardownTestEnvironment();
  }
}

describe('durable execution', () => {
  it('ends well → as in the test runner of AWS', async () => {
    const [ours, theirs] = [await run('well'), await runByAws('well')];
    expect(ours.status).toBe(theirs.status);
    expect(ours.result).toEqual({ greeting: 'hello', attempts: 3 });
    expect(theirs.result).toEqual(ours.result);
    expect(ours.invocations).toBe(theirs.invocations);
    expect(ours.operations.map(({ Name, Type, Status }) => [Name, Type, Status])).toEqual(theirs.operations);
  });

  it('ends badly → as in the test runner of AWS', async () => {
    const [ours, theirs] = [await run('badly'), await runByAws('badly')];
    expect(ours.status).toBe('FAILED');
    expect(theirs.status).toBe('FAILED');
    expect([ours.error?.ErrorType, ours.error?.ErrorMessage]).toEqual([
      theirs.error?.errorType,
      theirs.error?.errorMessage,
    ]);
    expect(ours.operations.map(({ Name, Type, Status }) => [Name, Type, Status])).toEqual(theirs.operations);
  });

  it('waits and retries → the time passes, each with its name', async () => {
    expect((await run('well')).waits).toEqual([
      ['a-wait', 60],
      ['a-step', 100],
      ['a-step', 200],
    ]);
  });

  it('one crash → goes on with what is kept', async () => {
    let crashes = 0;
    const onCheckpoint = () => {
      crashes += 1;
      if (crashes === 1) throw new Error('gone');
    };
    const { status, invocations } = await run('well', { onCheckpoint });
    expect(status).toBe('SUCCEEDED');
    expect(invocations).toBe((await run('well')).invocations + 1);
  });

  it('nothing but crashes → given up', async () => {
    const onCheckpoint = () => {
      throw new Error('gone');
    };
    await expect(run('well', { onCheckpoint })).rejects.toThrow('crashes whenever it is called');
  });
});
