/**
 * Hands the functions their environment where they run on this machine: the emulator's address and keys instead of the
 * secret that they read in the cloud. It does nothing when the service is packaged or deployed.
 */

interface Serverless {
  processedInput: { commands: string[] };
  service: {
    provider: { environment?: Record<string, unknown> };
    functions: Record<string, { handler: string }>;
  };
}

export const EMULATOR_PORT = 8090;

export default class LocalPlugin {
  readonly hooks = { initialize: () => this.#prepare() };
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
  }

  async #prepare(): Promise<void> {
    const command = this.#serverless.processedInput.commands.join(' ');
    if (command !== 'offline' && command !== 'offline start' && command !== 'invoke local') return;
    await this.#useEmulator();
    if (command === 'invoke local') this.#nameExtensions();
  }

  async #useEmulator(): Promise<void> {
    const { DEMO_CREDENTIALS, DEMO_PROJECT_ID } = await import('../emulator/dds/seed.ts');
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
