/** Runs clients/backup-and-wait.sh with the few tools that it may use, and with a clock that only its pauses move. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../clients/backup-and-wait.sh', import.meta.url));

const find = (command: string): string =>
  spawnSync('/bin/sh', ['-c', 'command -v "$0"', command], { encoding: 'utf8' }).stdout.trim();

const TOOLS = ['awk', 'cat', 'cut', 'date', 'grep', 'head', 'mktemp', 'od', 'rm', 'sed', 'sleep', 'tail', 'tr'].map(
  (name) => ({ name, path: find(name) }),
);
const CURL = find('curl');
const BUSYBOX = find('busybox');

/** What runs the script here: busybox brings its own tools, as in Alpine Linux. */
export const SHELLS = [
  { name: 'sh', path: find('sh'), options: [] },
  { name: 'dash', path: find('dash'), options: [] },
  { name: 'bash', path: find('bash'), options: ['--posix'] },
  { name: 'busybox', path: BUSYBOX, options: ['sh'] },
].filter(({ path }) => path);

export type Shell = (typeof SHELLS)[number];

/** All tests with another one: `CLIENT_SHELL=busybox npx vitest run test/clients`. */
const chosen = SHELLS.find(({ name }) => name === (process.env.CLIENT_SHELL ?? 'sh'));

export interface Settings {
  readonly shell?: Shell;
  readonly env?: Readonly<Record<string, string>>;
  /** In place of curl: a shell script, in which `$CURL` is the real one. `null`: there is no curl. */
  readonly curl?: string | null;
  /** What happens during the pause with this number, the first is 1. */
  readonly onPause?: (pause: number) => Promise<void>;
  /** Pauses take the time that they take. */
  readonly realTime?: boolean;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The seconds of each pause. */
  readonly pauses: readonly number[];
  /** What is left in the directory for temporary files. */
  readonly leftovers: readonly string[];
  /** What a script in place of curl wrote into `$ROOT/notes`. */
  readonly notes: string;
}

const executable = (path: string, script: string): void =>
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });

function directories() {
  const root = mkdtempSync(join(tmpdir(), 'client-'));
  const [bin, tmp, home] = [join(root, 'bin'), join(root, 'tmp'), join(root, 'home')] as const;
  for (const directory of [bin, tmp, home]) mkdirSync(directory);
  return { root, bin, tmp, home, pauses: join(root, 'pauses'), notes: join(root, 'notes') };
}

/** `sleep` takes no time and moves the clock of `date`. */
function fakeClock(bin: string, pauses: string): void {
  for (const tool of ['date', 'sleep']) rmSync(join(bin, tool));
  writeFileSync(pauses, '');
  executable(join(bin, 'sleep'), `echo "$1" >>"${pauses}"\n[ -z "$ON_PAUSE" ] || "$CURL" -q -s "$ON_PAUSE"`);
  const now = `t=1772323200\nwhile read -r s; do t=$((t + s)); done <"${pauses}"\necho $t`;
  executable(join(bin, 'date'), `[ "$1" = +%s ] || exec "${find('date')}" "$@"\n${now}`);
}

/** Lets a pause last until the test has done what belongs into it. */
async function pauseServer(onPause: (pause: number) => Promise<void>) {
  let pauses = 0;
  const server = createServer(async (_, response) => {
    pauses += 1;
    await onPause(pauses);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

export async function start(args: readonly string[], settings: Settings = {}) {
  const { shell = chosen, env = {}, curl, onPause, realTime = false } = settings;
  if (!shell) throw new Error('CLIENT_SHELL is not installed.');
  const { root, bin, tmp, home, pauses, notes } = directories();
  writeFileSync(join(home, '.curlrc'), 'user-agent = "of .curlrc"\n');
  for (const { name, path } of TOOLS) symlinkSync(shell.path === BUSYBOX ? BUSYBOX : path, join(bin, name));
  if (curl === undefined) symlinkSync(CURL, join(bin, 'curl'));
  else if (curl !== null) executable(join(bin, 'curl'), curl);
  if (!realTime) fakeClock(bin, pauses);
  const paused = onPause && (await pauseServer(onPause));

  const child = spawn(shell.path, [...shell.options, SCRIPT, ...args], {
    env: { PATH: bin, TMPDIR: tmp, HOME: home, ROOT: root, CURL, ON_PAUSE: paused?.url ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that what is left behind is found.
    detached: true,
  });
  const ended = (async (): Promise<Ended> => {
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    const seconds = read(pauses).split('\n').filter(Boolean).map(Number);
    const result = { code, stdout, stderr, pauses: seconds, leftovers: readdirSync(tmp), notes: read(notes) };
    rmSync(root, { recursive: true });
    paused?.close();
    return result;
  })();
  return {
    ended,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    /** Whether a process of the script's group still runs. */
    isAlive: () => {
      try {
        return child.pid !== undefined && process.kill(-child.pid, 0);
      } catch {
        return false;
      }
    },
  };
}

export const run = async (args: readonly string[], settings: Settings = {}): Promise<Ended> =>
  (await start(args, settings)).ended;
