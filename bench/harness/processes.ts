/** New processes for every measurement, so that compiled code and heap of one do not change another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of built bundles. */
const DIST = new URL('../../dist/', import.meta.url);

export const bundlePath = (name: string): string => fileURLToPath(new URL(name, DIST));

/** The keys of the emulator. The do-nothing server ignores them. */
export const environment = (url: string): Record<string, string> => ({
  DDS_ENDPOINT: url,
  OTC_SDK_PROJECT_ID: '0549b4a43100d4f32f51c01c2fe4acdb',
  OTC_SDK_AK: 'EMULATORACCESSKEY000',
  OTC_SDK_SK: 'EmulatorSecretKeyThatOpensNothing0000000',
});

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Of Node itself. */
  readonly flags?: readonly string[];
}

/**
 * Starts a probe. Its standard output, where functions log, is /dev/null: every line is made and written, as in Lambda.
 * Its findings come on descriptor 3.
 */
function start(probe: string, args: readonly string[], { env = {}, flags = [] }: ProcessOptions) {
  const child = spawn(process.execPath, [...flags, bundlePath(`bench/${probe}.mjs`), ...args], {
    // Variables of this shell, such as NODE_OPTIONS, do not change a measurement.
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  // Node quotes the line that threw: in a minified bundle that is most of the file.
  const shortened = () => complaints.replace(/^(.{500}).*$/gm, '$1…');
  return { child, findings: child.stdio[3], complaints: shortened };
}

/** Runs a probe to its end and returns what it found. */
export function inNewProcess<Findings>(
  probe: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Findings> {
  const { child, findings, complaints } = start(probe, args, options);
  let text = '';
  findings?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 && text !== '') resolve(JSON.parse(text));
      else reject(new Error(`${probe} ${args.join(' ')} ended with ${code}:\n${complaints()}`));
    });
  });
}

export interface Server extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server in a process of its own; `await using` ends it. */
export async function server(probe: 'do-nothing-server' | 'emulator', args: readonly string[] = []): Promise<Server> {
  const { child, findings, complaints } = start(probe, args, {});
  const ended = new Promise<never>((_, reject) => {
    child.on('close', () => reject(new Error(`${probe} ended:\n${complaints()}`)));
  });
  ended.catch(() => {});
  const said = new Promise<string>((resolve) => findings?.once('data', (chunk: Buffer) => resolve(String(chunk))));
  const { url }: { url: string } = JSON.parse(await Promise.race([said, ended]));
  return { url, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill();
  await closed;
}

/** Measures each contender in turn, `rounds` times, every other round in the opposite order. */
export async function alternating<Name extends string, Findings>(
  names: readonly Name[],
  rounds: number,
  measure: (name: Name) => Promise<Findings>,
): Promise<Record<Name, Findings[]>> {
  const found = Object.fromEntries(names.map((name): [string, Findings[]] => [name, []])) as Record<Name, Findings[]>;
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) found[name].push(await measure(name));
  return found;
}
