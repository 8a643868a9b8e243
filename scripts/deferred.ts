/** `npm run deferred`: one failed invocation, tried again against the emulator of `npm start` until it has an end. */
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { deferredHandler } from '../functions/deferred.ts';
import type { Announcement } from '../lib/lambda/announce.ts';
import { backupService } from '../lib/lambda/backup-service.ts';
import { EMULATOR_PORT } from './local-plugin.ts';
import { isFree } from './local-run.ts';

const SAMPLE = fileURLToPath(new URL('../events/deferred.json', import.meta.url));
const INVOCATION_MILLIS = 60_000;
const LONGEST_WAIT_MILLIS = 1000;

export interface LocalDeferral {
  /** A destination record as Lambda writes it, JSON; it counts as one of this moment. */
  readonly file?: string | undefined;
  /** Where the emulator listens. */
  readonly port?: number;
  readonly say?: (line: string) => void;
  readonly wait?: (millis: number) => Promise<void>;
}

/** Prints what it waits for, what it would announce and how it ends; resolves to the exit code, 0 with a backup. */
export async function tryAgain({
  file = SAMPLE,
  port = EMULATOR_PORT,
  say = console.log,
  wait = setTimeout,
}: LocalDeferral): Promise<number> {
  if (await isFree(port)) {
    say(`No emulator listens on port ${port}: run npm start in another terminal.`);
    return 1;
  }
  const record = await readRecord(file);
  if (typeof record === 'string') {
    say(record);
    return 1;
  }
  const env = {
    DDS_ENDPOINT: `http://127.0.0.1:${port}`,
    OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
    OTC_SDK_AK: DEMO_CREDENTIALS.ak,
    OTC_SDK_SK: DEMO_CREDENTIALS.sk,
  };
  const announce = async (announcements: readonly Announcement[]) => {
    for (const { type, detail } of announcements) say(`announced: ${type} ${JSON.stringify(detail)}`);
  };
  const { error, result } = await runDurableExecution({
    handler: deferredHandler(backupService({ env }), announce, env),
    payload: { ...record, timestamp: new Date().toISOString() },
    context: () => {
      const end = Date.now() + INVOCATION_MILLIS;
      return { awsRequestId: 'local', getRemainingTimeInMillis: () => end - Date.now() };
    },
    now: () => new Date(),
    wait: async (millis, operation) => {
      say(`waiting before ${operation}: ${Math.round(millis / 1000)} s, here ${LONGEST_WAIT_MILLIS / 1000} s`);
      await wait(Math.min(millis, LONGEST_WAIT_MILLIS));
    },
  });
  say(error ? `failed: ${error.ErrorType}: ${error.ErrorMessage}` : `succeeded: ${JSON.stringify(result)}`);
  return error ? 1 : 0;
}

/** What the file holds, or what is wrong with it. */
async function readRecord(file: string): Promise<object | string> {
  try {
    const record: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof record === 'object' && record !== null) return record;
  } catch (error) {
    if (!(error instanceof SyntaxError))
      return `${file} cannot be read: ${error instanceof Error ? error.message : error}`;
  }
  return `${file} is no record of a failed invocation, such as events/deferred.json.`;
}

if (import.meta.main) process.exitCode = await tryAgain({ file: process.argv[2] });
