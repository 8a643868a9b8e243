/**
 * Gives the functions their environment where they run on this machine: the emulator's address and keys instead of the
 * secret that they read in the cloud. It does nothing when the service is packaged or deployed.
 */
import { isObject } from '../../lib/json.ts';
import { DAY, parseRfc3339 } from '../../lib/time.ts';

interface Serverless {
  processedInput: { commands: string[] };
  service: {
    provider: { environment?: Record<string, unknown> };
    functions: Record<string, { handler: string; name?: string; environment?: Record<string, unknown> }>;
  };
}

interface InvokeOptions {
  /** The event, parsed. */
  data?: unknown;
}

export const EMULATOR_PORT = 8090;

/**
 * Moves the time of an event that asks for a backup into the last 24 hours: nothing is submitted for an old one, and the
 * samples are old. The time of the day stays, so that the event, sent again on the same day, is the same one.
 */
export function recent(event: unknown, now: Date): unknown {
  const asksForBackup = isObject(event) && ('detail' in event || 'backup' in event);
  const time = asksForBackup ? parseRfc3339(event.time) : undefined;
  if (!asksForBackup || !time) return event;
  const days = Math.max(0, Math.floor((now.getTime() - time.getTime()) / DAY));
  return { ...event, time: new Date(time.getTime() + days * DAY).toISOString() };
}

export default class LocalPlugin {
  readonly hooks = {
    initialize: () => this.#prepare(),
    'before:invoke:local:invoke': () => {
      this.#options.data = recent(this.#options.data, new Date());
    },
  };
  readonly #serverless: Serverless;
  readonly #options: InvokeOptions;

  constructor(serverless: Serverless, options: InvokeOptions = {}) {
    this.#serverless = serverless;
    this.#options = options;
  }

  async #prepare(): Promise<void> {
    const command = this.#serverless.processedInput.commands.join(' ');
    if (command !== 'offline' && command !== 'offline start' && command !== 'invoke local') return;
    await this.#useEmulator();
    if (command === 'invoke local') this.#nameExtensions();
    else this.#useLocalAws();
    this.#leaveOutWhatIsNoText();
  }

  /** Keeps the shell's AWS account from the functions. `npm start` emulates what they call of AWS. */
  #useLocalAws(): void {
    const { provider, functions } = this.#serverless.service;
    const { AWS_ENDPOINT_URL } = process.env;
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    const keys = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
    provider.environment = { ...provider.environment, ...keys, ...(AWS_ENDPOINT_URL && { AWS_ENDPOINT_URL }) };
    for (const name of ['http', 'invoke'])
      if (functions[name]) functions[name].handler = `scripts/local/handlers.${name}`;
    // Without npm start nothing takes asynchronous calls.
    if (!process.send) return;
    for (const { environment = {} } of Object.values(functions)) {
      if (environment.DEFERRED_FUNCTION) environment.DEFERRED_FUNCTION = functions.deferred?.name;
      if (environment.INVOKE_FUNCTION) environment.INVOKE_FUNCTION = functions.invoke?.name;
    }
    process.send(Object.values(functions).flatMap(({ name }) => name ?? []));
  }

  /**
   * References to resources, since there is no stack to ask, and invoke local would fail; and null, which leaves a
   * variable out in the cloud, and which serverless-offline makes "null".
   */
  #leaveOutWhatIsNoText(): void {
    const { provider, functions } = this.#serverless.service;
    for (const { environment = {} } of [provider, ...Object.values(functions)]) {
      for (const [name, value] of Object.entries(environment)) if (typeof value === 'object') delete environment[name];
    }
  }

  async #useEmulator(): Promise<void> {
    const { DEMO_CREDENTIALS, DEMO_PROJECT_ID } = await import('../../emulator/dds/seed.ts');
    const { provider } = this.#serverless.service;
    const { OTC_CREDENTIALS_SECRET: _, DDS_ENDPOINT: endpoint, ...environment } = provider.environment ?? {};
    provider.environment = {
      ...environment,
      // --param "ddsEndpoint=…" is for an emulator on another port.
      DDS_ENDPOINT: endpoint ?? `http://127.0.0.1:${EMULATOR_PORT}`,
      OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
      OTC_SDK_AK: DEMO_CREDENTIALS.ak,
      OTC_SDK_SK: DEMO_CREDENTIALS.sk,
      HTTP_AUTH: 'none',
    };
    // invoke local adds these to the shell's variables, which may hold the keys of a real project.
    for (const name of Object.keys(process.env)) {
      if (/^OTC_|^(DDS_ENDPOINT|WEBHOOK_SECRET|HTTP_AUTH)$/.test(name)) delete process.env[name];
    }
  }

  /** invoke local looks for .js and .cjs only, but takes a handler's extension as part of its path. */
  #nameExtensions(): void {
    for (const definition of Object.values(this.#serverless.service.functions)) {
      definition.handler = definition.handler.replace(/\.handler$/, '.mjs.handler');
    }
  }
}
