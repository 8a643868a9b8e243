/** The emulator on the command line: `node emulator/dds/main.ts --help`. */
import { main, type Options, readPort, Unusable } from '../../scripts/local/command.ts';
import { startEmulator } from './emulator.ts';
import type { RecordedRequest } from './request-log.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCES, DEMO_PROJECT_ID } from './seed.ts';

const USAGE = `npm run emulator -- [options]
  --port 8090            where to listen, on 127.0.0.1
  --backup-seconds 30    how long a backup takes
  --fail-names REGEX     backups whose name matches end as FAILED
  --help                 this text`;

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^[\d.]+$/.test(text) && !Number.isNaN(seconds)) return seconds;
  throw new Unusable(`Invalid --backup-seconds: ${text}. Give a number of seconds.`);
}

function readPattern(text: string): string {
  try {
    return new RegExp(text).source;
  } catch {
    throw new Unusable(`Invalid --fail-names: ${text}. Give a regular expression.`);
  }
}

function logRequest({ method, path, status, errorCode, fault }: RecordedRequest): void {
  const line = [method, path, status ?? '-', errorCode, fault && `(fault: ${fault})`];
  console.log(line.filter((part) => part !== undefined).join(' '));
}

async function run(options: Options): Promise<number> {
  const { 'backup-seconds': seconds, 'fail-names': failing } = options;
  const emulator = await startEmulator({
    port: readPort(options),
    backupMillis: readSeconds(String(seconds)) * 1000,
    failNames: failing === undefined ? null : readPattern(String(failing)),
    onRequest: logRequest,
  }).catch(explain);
  console.log(`DDS emulator on ${emulator.url}

  DDS_ENDPOINT=${emulator.url}
  OTC_SDK_PROJECT_ID=${DEMO_PROJECT_ID}
  OTC_SDK_AK=${DEMO_CREDENTIALS.ak}
  OTC_SDK_SK=${DEMO_CREDENTIALS.sk}

Control: ${emulator.url}/emulator/control (see emulator/README.md)

Instances:
${DEMO_INSTANCES.map(({ id, name, status }) => `  ${id}  ${name} (${status})`).join('\n')}
`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void emulator.close());
  return 0;
}

/** One line where another port helps. */
function explain(error: unknown): never {
  if (error instanceof Error && 'syscall' in error && error.syscall === 'listen')
    throw new Unusable(`${error.message}; choose another with --port`);
  throw error;
}

await main({
  usage: USAGE,
  options: {
    port: { type: 'string', default: '8090' },
    'backup-seconds': { type: 'string', default: '30' },
    'fail-names': { type: 'string' },
  },
  run,
});
