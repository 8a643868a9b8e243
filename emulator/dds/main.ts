/** The emulator on the command line: `node emulator/dds/main.ts --help`. */
import { parseArgs } from 'node:util';
import { startEmulator } from './emulator.ts';
import type { RecordedRequest } from './request-log.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCES, DEMO_PROJECT_ID } from './seed.ts';

const USAGE = `npm run emulator -- [options]
  --port 8090            where to listen, on 127.0.0.1
  --backup-seconds 30    how long a backup takes
  --fail-names REGEX     backups whose name matches end as FAILED`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8090' },
      'backup-seconds': { type: 'string', default: '30' },
      'fail-names': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  const seconds = Number(values['backup-seconds']);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`--port is no port: ${values.port}`);
  if (!/^[\d.]+$/.test(values['backup-seconds']) || Number.isNaN(seconds))
    throw new Error(`--backup-seconds is no number: ${values['backup-seconds']}`);
  const failing = values['fail-names'];
  return {
    help: values.help,
    port,
    backupMillis: seconds * 1000,
    failNames: failing === undefined ? null : new RegExp(failing).source,
  };
}

function logRequest({ method, path, status, errorCode, fault }: RecordedRequest): void {
  const line = [method, path, status ?? '-', errorCode, fault && `(fault: ${fault})`];
  console.log(line.filter((part) => part !== undefined).join(' '));
}

async function main(): Promise<void> {
  const { help, port, backupMillis, failNames } = readArguments();
  if (help) return console.log(USAGE);
  const emulator = await startEmulator({
    port,
    backupMillis,
    failNames,
    onRequest: logRequest,
  });
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
}

/** One line, whatever went wrong. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') return `${error.message}; choose another with --port`;
  return error.message;
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
