/** The functions of FunctionGraph as they are deployed, behind each of their triggers. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Emulator } from '../../emulator/dds/emulator.ts';
import { DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from '../../emulator/dds/seed.ts';
import type { Handler } from '../../lib/functiongraph/platform.ts';
import { isObject } from '../../lib/json.ts';
import {
  type Answer,
  type FunctionName,
  gatewayEvent,
  startFunction,
} from '../../scripts/local/functiongraph-runtime.ts';
import type { Ending } from './bundles.ts';
import { type Smn, smnRecord, timerEvent, userDataOf } from './functiongraph.ts';
import { httpAnswer } from './lambda.ts';

export const TRIGGERS = ['APIG', 'SMN', 'timer', 'direct call'] as const;
export type TriggerName = (typeof TRIGGERS)[number];

/** A request as each trigger brings it. */
const eventWith: Record<TriggerName, (request: unknown) => unknown> = {
  APIG: (request) =>
    gatewayEvent({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) ?? '' }),
  SMN: (request) => ({ record: [smnRecord(JSON.stringify(request), randomUUID(), new Date().toISOString())] }),
  timer: (request) => timerEvent(new Date().toISOString(), JSON.stringify(request), randomUUID()),
  'direct call': (request) =>
    isObject(request) && !Array.isArray(request) ? { id: randomUUID(), ...request } : request,
};

/** A function as it is deployed, loaded again into this process. */
export function loadBundle(name: FunctionName): Handler {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`../../dist/functiongraph/${name}.js`);
  delete require.cache[path];
  const bundle: { handler: Handler } = require(path);
  return bundle.handler;
}

/** Hands a request to the function behind each trigger, wired to `emulator` and `smn`. */
export async function startTriggers(emulator: Emulator, smn: Smn) {
  const start = (name: FunctionName) =>
    startFunction(name, {
      keys: DEMO_TEMPORARY_CREDENTIALS,
      projectId: DEMO_PROJECT_ID,
      userData: { ...userDataOf(emulator, smn), HTTP_AUTH: 'gateway' },
    });
  const http = await start('http');
  const event = await start('event');
  const deliver = async (trigger: TriggerName, request: unknown): Promise<Ending> => {
    const input = eventWith[trigger](request);
    return trigger === 'APIG' ? httpEnding(await http.invoke(input)) : eventEnding(await event.invoke(input));
  };
  return {
    deliver,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await http[Symbol.asyncDispose]();
      await event[Symbol.asyncDispose]();
    },
  };
}

function eventEnding({ payload, error }: Answer): Ending {
  if (!error) return { body: JSON.parse(payload) };
  return { error: Object.assign(new Error(error.errorMessage), { name: error.errorType }) };
}

function httpEnding(answer: Answer): Ending {
  const { body: value, error } = eventEnding(answer);
  if (error) return { error };
  const { statusCode, body } = httpAnswer(value);
  return { status: statusCode, body };
}
