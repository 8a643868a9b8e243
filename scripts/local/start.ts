/** `npm start`: the whole service on this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DEMO_INSTANCE } from '../../emulator/dds/seed.ts';
import { EMULATOR_PORT } from '../plugins/local.ts';
import { main, readPort } from './command.ts';
import { freePort } from './ports.ts';
import { type Ports, refuseTakenPorts, startLocally } from './run.ts';

const PORTS: Ports = { http: 3000, lambda: 3002, emulator: EMULATOR_PORT };

const USAGE = `npm start -- [options]

Builds the functions and runs them on this machine, beside an emulated DDS. Port 0 is any free one.

  --port ${PORTS.http}            the HTTP API
  --lambda-port ${PORTS.lambda}     Lambda's API, for the AWS SDK and CLI
  --emulator-port ${PORTS.emulator}   the emulated DDS
  --help                 this text`;

/** Runs until a signal ends it. Resolves to the exit code. */
export async function run(ports: Ports): Promise<number> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ending.abort());
  const { answers, ended } = await startLocally(ports, ending.signal);
  if (answers) console.log(instructions(ports));
  return ended;
}

function instructions({ http, lambda, emulator }: Ports): string {
  const request = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'before-migration' } };
  const option = emulator === EMULATOR_PORT ? '' : ` -- --port ${emulator}`;
  return `
Create a backup:

  curl http://localhost:${http}/backups -H 'content-type: application/json' -d '${JSON.stringify(request)}'

The same, until the backup is COMPLETED:

  clients/backup-and-wait.sh --url http://localhost:${http}/backups --instance-id ${DEMO_INSTANCE.id} --name-prefix before-migration

An instance runs one backup at a time, and here each takes three seconds. Until then curl is answered
403 InstanceBusy. With -H 'prefer: respond-async' it is answered 202, and the function deferred retries
the request in this terminal. In another terminal:

  npm run deferred${option}    retries an event whose instance was busy, until DDS accepts it
  npm run monitor${option}     prints the backup events of the last five minutes, and the backup ages

See what the emulated DDS holds: http://localhost:${emulator}/

Lambda's API: http://localhost:${lambda}. Ctrl-C ends everything.
`;
}

/** Shows what went wrong, and not the list of files. */
async function build(): Promise<number> {
  const child = spawn('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}

if (import.meta.main)
  await main({
    usage: USAGE,
    options: {
      port: { type: 'string', default: String(PORTS.http) },
      'lambda-port': { type: 'string', default: String(PORTS.lambda) },
      'emulator-port': { type: 'string', default: String(PORTS.emulator) },
    },
    run: async (options) => {
      const chosen = {
        http: readPort(options),
        lambda: readPort(options, 'lambda-port'),
        emulator: readPort(options, 'emulator-port'),
      };
      const ports: Ports = {
        http: chosen.http || (await freePort()),
        lambda: chosen.lambda || (await freePort()),
        emulator: chosen.emulator || (await freePort()),
      };
      await refuseTakenPorts(ports);
      const failed = await build();
      return failed === 0 ? run(ports) : failed;
    },
  });
