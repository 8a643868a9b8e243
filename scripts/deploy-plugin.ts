/**
 * Deploying without these would go through, and every backup would then fail. Packaging can do without, so they are not
 * asked for by `serverless.yml` itself.
 */

interface Serverless {
  /** An error of this class is shown as its message alone. */
  classes: { Error: new (message: string, code: string) => Error };
  processedInput: { commands: string[] };
  service: { provider: { environment?: Record<string, unknown>; layers?: unknown[] } };
}

const LAYER_ARN = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]+:\d+$/;

export default class DeployPlugin {
  readonly hooks = { initialize: () => this.#refuseWithoutParameters() };
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
  }

  #refuseWithoutParameters(): void {
    const [command, subcommand] = this.#serverless.processedInput.commands;
    if (command !== 'deploy' || subcommand === 'list') return;

    const { environment = {}, layers = [] } = this.#serverless.service.provider;
    const missing: string[] = [];
    if (!environment.OTC_SDK_PROJECT_ID) missing.push('projectId: the id of the project on Open Telekom Cloud');
    if (!layers.every((arn) => LAYER_ARN.test(String(arn)))) {
      missing.push(
        'secretsExtensionLayer: the ARN of the AWS Parameters and Secrets Lambda Extension (Arm64) in the region',
      );
    }
    if (missing.length > 0) {
      const message = `A deployment needs --param "<name>=<value>" for:\n  ${missing.join('\n  ')}`;
      throw new this.#serverless.classes.Error(message, 'MISSING_PARAMETERS');
    }
  }
}
