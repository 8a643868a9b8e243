/**
 * Refuses what would go through and be wrong. Deploying without the required parameters would make every backup fail;
 * packaging can do without them, so `serverless.yml` itself does not ask. And who misspells the switch of the open route
 * should hear of it, not wonder.
 */

interface Serverless {
  /** An error of this class is shown as its message alone. */
  classes: { Error: new (message: string, code: string) => Error };
  processedInput: { commands: string[] };
  service: {
    provider: { environment?: Record<string, unknown>; layers?: unknown[] };
    custom?: { webhookRoute?: unknown };
  };
}

const LAYER_ARN = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]+:\d+$/;

export default class DeployPlugin {
  readonly hooks = { initialize: () => this.#refuseParameters() };
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
  }

  #refuseParameters(): void {
    const [command, subcommand] = this.#serverless.processedInput.commands;
    const deploys = command === 'deploy' && subcommand !== 'list';
    if (!deploys && command !== 'package') return;

    const wrong = [...this.#misspelt(), ...(deploys ? this.#missing() : [])];
    if (wrong.length === 0) return;
    const message = `These parameters are missing or wrong, --param "<name>=<value>" gives them:\n  ${wrong.join('\n  ')}`;
    throw new this.#serverless.classes.Error(message, 'REFUSED_PARAMETERS');
  }

  #misspelt(): string[] {
    const { custom = {} } = this.#serverless.service;
    const isSwitch = custom.webhookRoute === 'on' || custom.webhookRoute === 'off';
    return isSwitch ? [] : [`webhookRoute: on or off, not ${JSON.stringify(custom.webhookRoute)}`];
  }

  #missing(): string[] {
    const { environment = {}, layers = [] } = this.#serverless.service.provider;
    const missing: string[] = [];
    if (!environment.OTC_SDK_PROJECT_ID) missing.push('projectId: the id of the project on Open Telekom Cloud');
    if (!layers.every((arn) => LAYER_ARN.test(String(arn)))) {
      missing.push(
        'secretsExtensionLayer: the ARN of the AWS Parameters and Secrets Lambda Extension (Arm64) in the region',
      );
    }
    return missing;
  }
}
