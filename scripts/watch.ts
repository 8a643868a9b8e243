/** `npm run watch`: one run of watch against the emulator of `npm start`, announcements printed instead of sent. */
import { parseArgs } from 'node:util';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../emulator/dds/seed.ts';
import { windowOf } from '../lib/backup/milestones.ts';
import type { Watched } from '../lib/backup/watch.ts';
import { Failure } from '../lib/failure.ts';
import { scheduledTime } from '../lib/lambda/scheduled-time.ts';
import { watchService } from '../lib/lambda/watch-service.ts';
import { EMULATOR_PORT } from './local-plugin.ts';
import { isFree } from './local-run.ts';

const USAGE = `npm run watch -- [options]
  --time TIME      the run's time, such as 2026-03-01T12:10:00Z; it sees what happened in the five minutes that ended
                   five minutes before. Default: five minutes ahead, so that these are the last five minutes
  --port ${EMULATOR_PORT}      where the emulator listens, on 127.0.0.1`;

const AHEAD_MILLIS = 5 * 60_000;
const RUN_MILLIS = 30_000;

class Unusable extends Error {}

function readArguments(now: Date) {
  const { values } = parseArgs({
    options: {
      time: { type: 'string', default: new Date(now.getTime() + AHEAD_MILLIS).toISOString() },
      port: { type: 'string', default: String(EMULATOR_PORT) },
      help: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new Unusable(`--port is no port: ${values.port}`);
  return { help: values.help, time: readTime(values.time, now), port };
}

function readTime(time: string, now: Date): Date {
  try {
    return scheduledTime({ time }, now);
  } catch (error) {
    throw new Unusable(`--time ${time}: ${error instanceof Error ? error.message : error}`);
  }
}

async function main(): Promise<void> {
  const { help, time, port } = readArguments(new Date());
  if (help) return console.log(USAGE);
  if (await isFree(port))
    throw new Unusable(`No emulator listens on port ${port}: start it in another terminal, with npm start.`);

  const { after, until } = windowOf(time);
  console.log(
    `The run of ${time.toISOString()} sees what happened after ${clock(after)} and up to ${clock(until)} UTC.\n`,
  );
  const service = watchService({
    env: {
      DDS_ENDPOINT: `http://127.0.0.1:${port}`,
      OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
      OTC_SDK_AK: DEMO_CREDENTIALS.ak,
      OTC_SDK_SK: DEMO_CREDENTIALS.sk,
      EVENT_BUS: 'the screen',
    },
    announce: async (announcements) => {
      if (announcements.length === 0) console.log('Nothing to announce.');
      for (const { type, detail } of announcements) console.log(`${type}\n${JSON.stringify(detail, undefined, 2)}`);
    },
  });
  const watched = await service.watch(time, remaining(), new AbortController().signal);
  await service.announce(watched.happenings);
  printFreshness(watched, time);
}

function printFreshness({ freshness }: Watched, time: Date): void {
  console.log(
    `\nHours since the last backup that completed, or else since the instance was created, as of ${clock(time.getTime())}:\n`,
  );
  for (const { hours, instance_name = '', instance_id, last_backup_id = 'none' } of freshness)
    console.log(
      `  ${hours.toFixed(2).padStart(10)}  ${instance_name.padEnd(12)} ${instance_id}  backup ${last_backup_id}`,
    );
}

const clock = (millis: number): string => new Date(millis).toISOString().slice(11, 19);

function remaining() {
  const end = performance.now() + RUN_MILLIS;
  return { getRemainingTimeInMillis: () => end - performance.now() };
}

const isArgumentError = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

/** What went wrong and can be mended is said in one line. */
main().catch((error: unknown) => {
  const isPlain = error instanceof Unusable || error instanceof Failure || isArgumentError(error);
  console.error(isPlain ? error.message : error);
  process.exitCode = 1;
});
