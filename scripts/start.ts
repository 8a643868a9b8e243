/** `npm start`: the whole service on this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { EMULATOR_PORT } from './local-plugin.ts';
import { type Ports, PortTaken, refuseTakenPorts, startLocally } from './local-run.ts';

const PORTS: Ports = { http: 3000, lambda: 3002, emulator: EMULATOR_PORT };

/** Runs until it is told to end, and resolves to the exit code. */
export async function run(ports: Ports): Promise<number> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ending.abort());
  const { answers, ended } = await startLocally(ports, ending.signal);
  if (answers) console.log(instructions(ports));
  return ended;
}

function instructions({ http, lambda, emulator }: Ports): string {
  const request = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'before-migration' } };
  return `
POST http://localhost:${http}/backups creates a backup in the DDS emulator:

  curl http://localhost:${http}/backups -H 'content-type: application/json' -d '${JSON.stringify(request)}'

Pasted again, it creates another one, three seconds later at the earliest: an instance runs one
backup at a time, and here each takes three seconds.

An event that found its instance busy, tried again until it has its backup:

  npm run deferred

What became of the backups of the last five minutes, and how fresh the last of each instance is:

  npm run watch

The Lambda API listens on http://localhost:${lambda}, the emulator on http://localhost:${emulator}. Ctrl-C ends all of it.
`;
}

async function build(): Promise<number> {
  const [code] = await once(spawn('npm', ['run', '--silent', 'build'], { stdio: 'inherit' }), 'exit');
  return Number(code ?? 1);
}

async function main(): Promise<number> {
  await refuseTakenPorts(PORTS);
  const failed = await build();
  return failed === 0 ? run(PORTS) : failed;
}

/** What went wrong and can be mended is said in one line. */
export function explain(error: unknown): number {
  console.error(error instanceof PortTaken ? error.message : error);
  return 1;
}

if (import.meta.main) process.exitCode = await main().catch(explain);
