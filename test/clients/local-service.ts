/** The service as `npm start` runs it after its build, on free ports, and the way to its emulated DDS. */
import { PassThrough } from 'node:stream';
import { fieldsOf, textsOf } from '../../lib/json.ts';
import { portSource } from '../../scripts/local/ports.ts';
import { type Ports, startLocally } from '../../scripts/local/run.ts';

/** In a range of its own: the local run takes further ports for itself. */
export const freePort = portSource(10_000);

export const freePorts = async (): Promise<Ports> => ({
  http: await freePort(),
  lambda: await freePort(),
  emulator: await freePort(),
});

export async function startService() {
  const ending = new AbortController();
  const ports = await freePorts();
  const terminal = new PassThrough();
  let printed = '';
  terminal.on('data', (chunk) => {
    printed += chunk;
  });
  const { answers, ended } = await startLocally(ports, ending.signal, { stdout: terminal, stderr: terminal });
  if (!answers) throw new Error(`The local run ended before it was ready:\n${printed}`);
  return {
    ports,
    printed: () => printed,
    url: `http://localhost:${ports.http}/backups`,
    /** An action of emulator/README.md. */
    control: async (action: string, argument: object): Promise<void> => {
      const url = `http://127.0.0.1:${ports.emulator}/emulator/control/${action}`;
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(argument) });
      if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
    },
    /** All that DDS has. */
    backups: async () => {
      const response = await fetch(`http://127.0.0.1:${ports.emulator}/emulator/control/backups`);
      const { backups } = fieldsOf(await response.json());
      return Array.isArray(backups) ? backups.map(textsOf) : [];
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await ended;
    },
  };
}
