/**
 * Lambda's durable executions on this machine: one execution of one function, with its state in memory. What the SDK
 * asks of Lambda is answered as the API reference has it, and time passes as the caller lets it.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html
 */
import {
  type CheckpointDurableExecutionRequest,
  DurableExecutionInvocationInputWithClient,
  type DurableExecutionInvocationOutput,
  type ErrorObject,
  InvocationStatus,
  type OperationUpdate,
  type WireOperation,
} from '@aws/durable-execution-sdk-js';
import type { Context } from 'aws-lambda';

export interface DurableExecutionOptions {
  /** Any: middy's types have the context that its handler sees, not the one that Lambda calls it with. */
  readonly handler: (event: never, context: never) => Promise<unknown>;
  readonly payload: unknown;
  /** Of each invocation. */
  readonly context: () => Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>;
  readonly now: () => Date;
  /** Lets the time pass, in milliseconds, that the operation of that name asked for. */
  readonly wait: (millis: number, operation: string) => Promise<void>;
  /** Called for each checkpoint before it is taken, and after. What throws here ends the invocation, as a crash would. */
  readonly onCheckpoint?: (updates: readonly OperationUpdate[], when: 'before' | 'after') => void;
}

export interface DurableExecutionEnd {
  readonly status: InvocationStatus;
  readonly result?: unknown;
  readonly error?: ErrorObject;
  /** How often Lambda called the function. */
  readonly invocations: number;
  /** In the order of their beginning. */
  readonly operations: readonly WireOperation[];
}

/** Lambda calls a function again whose invocation crashed; here not for ever. */
const MAX_CRASHES = 10;

export async function runDurableExecution({
  handler,
  payload,
  context,
  now,
  wait,
  onCheckpoint = () => {},
}: DurableExecutionOptions): Promise<DurableExecutionEnd> {
  const DurableExecutionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:1/durable-execution/a/b';
  const execution: WireOperation = {
    Id: 'execution',
    Type: 'EXECUTION',
    StartTimestamp: now(),
    Status: 'STARTED',
    ExecutionDetails: { InputPayload: JSON.stringify(payload) },
  };
  const operations = new Map<string, WireOperation>();
  let tokens = 0;

  const client = {
    getExecutionState: async () => ({ Operations: [execution, ...operations.values()] }),
    checkpoint: async ({ Updates = [] }: CheckpointDurableExecutionRequest) => {
      onCheckpoint(Updates, 'before');
      const changed = Updates.map((update) => {
        const operation = updated(operations.get(update.Id ?? ''), update, now());
        operations.set(update.Id ?? '', operation);
        return operation;
      });
      onCheckpoint(Updates, 'after');
      tokens += 1;
      return { CheckpointToken: String(tokens), NewExecutionState: { Operations: changed } };
    },
  };

  const invoke = async (): Promise<DurableExecutionInvocationOutput | undefined> => {
    const state = { Operations: [execution, ...operations.values()].map((operation) => ({ ...operation })) };
    const input = { DurableExecutionArn, CheckpointToken: String(tokens), InitialExecutionState: state };
    // An error that leaves the function is a crash of the invocation; the execution goes on.
    const called: Promise<unknown> = Reflect.apply(handler, undefined, [
      new DurableExecutionInvocationInputWithClient(input, client),
      context(),
    ]);
    const output = await called.catch(() => undefined);
    return isOutput(output) ? output : undefined;
  };

  for (let invocations = 1, crashes = 0; ; invocations++) {
    const output = await invoke();
    if (output === undefined) {
      crashes += 1;
      if (crashes > MAX_CRASHES) throw new Error('the function crashes whenever it is called');
    } else if (output.Status === InvocationStatus.PENDING) {
      await passTime([...operations.values()], now, wait);
    } else {
      const { Status: status } = output;
      const end = { status, invocations, operations: [...operations.values()] };
      return 'Error' in output
        ? { ...end, error: output.Error }
        : { ...end, result: 'Result' in output && output.Result ? JSON.parse(output.Result) : undefined };
    }
  }
}

const isOutput = (output: unknown): output is DurableExecutionInvocationOutput =>
  typeof output === 'object' && output !== null && 'Status' in output;

/** An operation after one update of it. */
function updated(before: WireOperation | undefined, update: OperationUpdate, now: Date): WireOperation {
  const { Id, ParentId, Name, Type, SubType, Action, Payload, Error: error, StepOptions, WaitOptions } = update;
  const operation: WireOperation = before ?? {
    Id,
    ParentId,
    Name,
    Type,
    SubType,
    StartTimestamp: now,
    Status: undefined,
  };
  const { Attempt = 0 } = operation.StepDetails ?? {};
  const after = (seconds = 0) => new Date(now.getTime() + seconds * 1000);
  switch (Action) {
    case 'START':
      return WaitOptions
        ? { ...operation, Status: 'STARTED', WaitDetails: { ScheduledEndTimestamp: after(WaitOptions.WaitSeconds) } }
        : { ...operation, Status: 'STARTED', StepDetails: { Attempt } };
    case 'RETRY': {
      const NextAttemptTimestamp = after(StepOptions?.NextAttemptDelaySeconds);
      return {
        ...operation,
        Status: 'PENDING',
        StepDetails: { Attempt: Attempt + 1, NextAttemptTimestamp, Error: error },
      };
    }
    case 'SUCCEED':
      return { ...operation, Status: 'SUCCEEDED', EndTimestamp: now, StepDetails: { Attempt, Result: Payload } };
    case 'FAIL':
      return { ...operation, Status: 'FAILED', EndTimestamp: now, StepDetails: { Attempt, Error: error } };
    default:
      throw new Error(`not emulated: ${Action}`);
  }
}

/** Waits for what is due first, and lets it go on. */
async function passTime(
  operations: readonly WireOperation[],
  now: () => Date,
  wait: DurableExecutionOptions['wait'],
): Promise<void> {
  const [next] = operations
    .flatMap((operation) => {
      const due =
        operation.Status === 'PENDING'
          ? operation.StepDetails?.NextAttemptTimestamp
          : operation.Status === 'STARTED'
            ? operation.WaitDetails?.ScheduledEndTimestamp
            : undefined;
      return due === undefined ? [] : [{ operation, due: new Date(due) }];
    })
    .sort((a, b) => a.due.getTime() - b.due.getTime());
  if (!next) throw new Error('the execution waits for nothing');
  const { operation, due } = next;
  await wait(Math.max(0, due.getTime() - now().getTime()), operation.Name ?? '');
  operation.Status = operation.Type === 'WAIT' ? 'SUCCEEDED' : 'READY';
}
