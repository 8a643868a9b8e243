/** `npm run deferred`: retries one failed invocation against the emulator of `npm start` until it has an end. */
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type DurableExecutionEnd, runDurableExecution } from '../../emulator/aws/durable-execution.ts';
import { deferredHandler } from '../../functions/deferred.ts';
import { awsService } from '../../lib/aws/platform.ts';
import { isObject, parseJson } from '../../lib/json.ts';
import type { Environment } from '../../lib/service/config.ts';
import { MINUTE, SECOND, systemTiming } from '../../lib/time.ts';
import { EMULATOR_PORT, recent } from '../plugins/local.ts';
import { emulatorEnvironment, main, readPort, Unusable } from './command.ts';

const SAMPLE = fileURLToPath(new URL('../../events/deferred.json', import.meta.url));
const MAX_WAIT_MILLIS = SECOND;

const USAGE = `npm run deferred -- [options] [record.json]

Retries the event of a destination record, as Lambda writes it for a failed invocation, until DDS accepts it. The record
counts as one of this moment. Each pause is printed, and cut to one second.
Needs the emulator of npm start, in another terminal.

  record.json   default: events/deferred.json
  --port ${EMULATOR_PORT}   where the emulator listens, on 127.0.0.1
  --help        this text`;

export interface LocalDeferral {
  /** Of a destination record, JSON. */
  readonly file?: string | undefined;
  /** Where the emulator listens. */
  readonly port?: number;
  readonly print?: (line: string) => void;
  readonly wait?: (millis: number) => Promise<void>;
}

/**
 * Prints each pause, what would be published, and the end. Resolves to the exit code: 0 with a backup.
 * @throws Unusable when there is no emulator, or the file is not a record
 */
export async function retryLocally({
  file = SAMPLE,
  port = EMULATOR_PORT,
  print = console.log,
  wait = setTimeout,
}: LocalDeferral): Promise<number> {
  const env = await emulatorEnvironment(port);
  const record = await readRecord(file);
  const now = new Date();
  const payload = {
    ...record,
    timestamp: now.toISOString(),
    ...('requestPayload' in record && { requestPayload: recent(record.requestPayload, now) }),
  };
  const { error } = await runDeferred(payload, { env, print, wait });
  return error ? 1 : 0;
}

export interface DeferredRun {
  readonly env: Environment;
  readonly print: (line: string) => void;
  readonly wait: (millis: number) => Promise<void>;
}

/** Runs `deferred` with the payload until it has an end. Prints each pause, what would be published, and the end. */
export async function runDeferred(payload: unknown, { env, print, wait }: DeferredRun): Promise<DurableExecutionEnd> {
  const service = awsService({
    env,
    timing: { ...systemTiming, wait },
    publish: async (events) => {
      for (const { type, detail } of events) print(`published: ${type} ${JSON.stringify(detail)}`);
    },
  });
  const end = await runDurableExecution({
    handler: deferredHandler(service),
    payload,
    context: () => {
      const deadline = Date.now() + MINUTE;
      return { awsRequestId: 'local', getRemainingTimeInMillis: () => deadline - Date.now() };
    },
    now: () => new Date(),
    wait: async (millis, operation) => {
      print(`${operation}: ${Math.round(millis / SECOND)} s, here ${MAX_WAIT_MILLIS / SECOND} s`);
      await wait(Math.min(millis, MAX_WAIT_MILLIS));
    },
  });
  const { error, result } = end;
  print(error ? `failed: ${error.ErrorType}: ${error.ErrorMessage}` : `succeeded: ${JSON.stringify(result)}`);
  return end;
}

async function readRecord(file: string): Promise<object> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Unusable(`Cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  });
  const record = parseJson(text);
  if (isObject(record)) return record;
  throw new Unusable(`Invalid record: ${file} is not a JSON object. See events/deferred.json.`);
}

if (import.meta.main)
  await main({
    usage: USAGE,
    options: { port: { type: 'string', default: String(EMULATOR_PORT) } },
    maxOperands: 1,
    run: async (options, [file]) => retryLocally({ file, port: readPort(options) }),
  });
