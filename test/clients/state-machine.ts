/**
 * Runs a state machine on this machine, as far as clients/ci/step-functions.asl.json goes: Task with apigateway:invoke,
 * Wait, Choice, Pass, Fail; retries; two of the intrinsic functions.
 */
import { fieldsOf, isObject, type JsonObject } from '../../lib/json.ts';

export interface StateMachineRun {
  readonly definition: JsonObject;
  readonly input: JsonObject;
  /** `$$` */
  readonly context: JsonObject;
  /** Where all of its API endpoints are. */
  readonly origin: string;
  readonly wait: (seconds: number) => Promise<void>;
}

export interface StateMachineEnd {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly error?: unknown;
  readonly output: JsonObject;
  /** The names of the states, in order. */
  readonly states: readonly string[];
}

class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
}

export async function runStateMachine(run: StateMachineRun): Promise<StateMachineEnd> {
  const { definition, context, wait } = run;
  const states: string[] = [];
  let output = run.input;
  let next: unknown = definition.StartAt;
  for (;;) {
    const name = String(next);
    const state = fieldsOf(fieldsOf(definition.States)[name]);
    states.push(name);
    next = state.Next;
    try {
      if (state.Type === 'Fail') return { status: 'FAILED', error: state.Error, output, states };
      if (state.Type === 'Wait') await wait(Number(state.Seconds));
      if (state.Type === 'Task') output = merge(output, state.ResultPath, await task(state, output, run));
      if (state.Type === 'Choice') next = choice(state, output, context);
    } catch (error) {
      if (!(error instanceof TaskFailed)) throw error;
      return { status: 'FAILED', error: error.message, output, states };
    }
    if (state.End === true) return { status: 'SUCCEEDED', output, states };
  }
}

async function task(state: JsonObject, input: JsonObject, run: StateMachineRun): Promise<unknown> {
  const parameters = fieldsOf(evaluate(state.Parameters, input, run.context));
  const retries = new Map<JsonObject, number>();
  for (;;) {
    const result = await invoke(parameters, run.origin);
    if (result.StatusCode < 300) return evaluate(state.ResultSelector, { ...result }, run.context);
    const error = `ApiGateway.${result.StatusCode}`;
    const retrier = listOf(state.Retry).find((one) =>
      listOfTexts(one.ErrorEquals).some((equals) => equals === error || equals === 'States.TaskFailed'),
    );
    const used = retrier ? (retries.get(retrier) ?? 0) : 0;
    if (!retrier || used >= Number(retrier.MaxAttempts)) throw new TaskFailed(error);
    retries.set(retrier, used + 1);
    await run.wait(Number(retrier.IntervalSeconds));
  }
}

async function invoke({ Method, Path, Headers, RequestBody }: JsonObject, origin: string) {
  const headers = Object.entries(fieldsOf(Headers)).map(([name, values]): [string, string] => [
    name,
    listOfTexts(values).join(', '),
  ]);
  const response = await fetch(`${origin}${String(Path)}`, {
    method: String(Method),
    headers,
    ...(RequestBody !== undefined && { body: JSON.stringify(RequestBody) }),
  });
  const ResponseBody: unknown = await response.json();
  return { StatusCode: response.status, ResponseBody };
}

/** The state whose rule fits first. */
function choice(state: JsonObject, input: JsonObject, context: JsonObject): unknown {
  const rule = listOf(state.Choices).find(
    ({ Variable, StringEquals }) => pathValue(String(Variable), input, context) === StringEquals,
  );
  return rule ? rule.Next : state.Default;
}

/** A template: what stands under a name that ends in `.$` is a path or a call of an intrinsic function. */
function evaluate(template: unknown, input: JsonObject, context: JsonObject): unknown {
  if (!isObject(template) || Array.isArray(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) =>
      name.endsWith('.$')
        ? [name.slice(0, -2), expression(String(value), input, context)]
        : [name, evaluate(value, input, context)],
    ),
  );
}

function expression(text: string, input: JsonObject, context: JsonObject): unknown {
  const [, name, inner = ''] = /^States\.(Format|Array)\((.*)\)$/.exec(text) ?? [];
  if (name === undefined) return pathValue(text, input, context);
  const [first = '', ...others] = inner.split(/,\s*/);
  if (name === 'Array') return [first, ...others].map((path) => pathValue(path, input, context));
  return others.reduce(
    (formatted, path) => formatted.replace('{}', String(pathValue(path, input, context))),
    first.slice(1, -1),
  );
}

function pathValue(path: string, input: JsonObject, context: JsonObject): unknown {
  const [root = '', ...names] = path.split('.');
  let value: unknown = root === '$$' ? context : input;
  for (const name of names) {
    if (!isObject(value) || !(name in value)) throw new Error(`States.ParameterPathFailure: ${path}`);
    value = value[name];
  }
  return value;
}

/** One level deep. */
const merge = (input: JsonObject, path: unknown, result: unknown): JsonObject => ({
  ...input,
  [String(path).replace(/^\$\./, '')]: result,
});

const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(fieldsOf) : []);

const listOfTexts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
