/** What the local commands share: options, help, and errors in one line. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { Failure } from '../../lib/errors.ts';
import { scheduledTime } from '../../lib/service/identity.ts';
import { isListening } from './ports.ts';

/** The user can put it right: its message is all that is shown. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}

/** The options given, and the defaults of the others. */
export type Options = Readonly<Record<string, unknown>>;

export interface Command {
  /** What `--help` prints. */
  readonly usage: string;
  readonly options: ParseArgsOptionsConfig;
  /** How many arguments that are not options it takes at most. */
  readonly maxOperands?: number;
  /** Resolves to the exit code. */
  readonly run: (options: Options, operands: readonly string[]) => Promise<number>;
}

/** Runs a command with the arguments of this process, and sets its exit code. */
export async function main({ usage, options, maxOperands = 0, run }: Command): Promise<void> {
  try {
    const help = { type: 'boolean', default: false } as const;
    const { values, positionals } = parseArgs({ options: { ...options, help }, allowPositionals: true });
    if (values.help) return console.log(usage);
    const [extra] = positionals.slice(maxOperands);
    if (extra !== undefined) throw new Unusable(`Unexpected argument: ${extra}. See --help.`);
    process.exitCode = await run(values, positionals);
  } catch (error) {
    process.exitCode = explain(error);
  }
}

/** Prints an error, in one line where the user can put it right. Returns the exit code. */
export function explain(error: unknown): number {
  console.error(lineFor(error) ?? error);
  return 1;
}

function lineFor(error: unknown): string | undefined {
  if (error instanceof Unusable || error instanceof Failure) return error.message;
  return isArgumentError(error) ? `${firstSentence(error)}. See --help.` : undefined;
}

const isArgumentError = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

/** The rest is advice, over several lines. */
const firstSentence = ({ message }: Error): string => message.split(/\.\s/)[0] ?? message;

/** Of `--port` or another option of that kind. */
export function readPort(options: Options, name = 'port'): number {
  const text = String(options[name]);
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Unusable(`Invalid --${name}: ${text}. Give a number from 0 to 65535.`);
}

/** Of `--time`: when a run is scheduled, at most five minutes ahead. */
export function readTime(time: string, now: Date): Date {
  try {
    return scheduledTime({ time }, now);
  } catch (error) {
    throw new Unusable(`Invalid --time: ${time}. ${error instanceof Error ? error.message : error}`);
  }
}

/** The environment of a function that talks to the emulator on `port`. */
export async function emulatorEnvironment(port: number): Promise<Record<string, string>> {
  if (!(await isListening(port)))
    throw new Unusable(`No emulator listens on port ${port}. Run npm start in another terminal.`);
  return {
    DDS_ENDPOINT: `http://127.0.0.1:${port}`,
    OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
    OTC_SDK_AK: DEMO_CREDENTIALS.ak,
    OTC_SDK_SK: DEMO_CREDENTIALS.sk,
    EVENT_BUS: 'local',
  };
}
