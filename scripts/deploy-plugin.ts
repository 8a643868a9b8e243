/**
 * Refuses what would go through and be wrong. A parameter that nobody knows sets nothing, and says nothing. What the
 * functions would refuse at every event, they should refuse before there are events. Deploying without the required
 * parameters would make every backup fail; packaging can do without them, so `serverless.yml` itself does not ask.
 */
import { readConfig } from '../lib/config.ts';

interface Serverless {
  /** An error of this class is shown as its message alone. */
  classes: { Error: new (message: string, code: string) => Error };
  processedInput: { commands: string[]; options: { param?: readonly string[] } };
  configurationInput: { params: { default: Record<string, unknown> } };
  service: {
    provider: { environment?: Record<string, unknown>; layers?: unknown[] };
    custom?: Record<string, unknown>;
  };
}

const LAYER_ARN = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]+:\d+$/;

const HOURS = /^(?=.*[1-9])\d{1,4}(\.\d{1,4})?$/;
/** A day less than `executionTimeout` in serverless.yml: an execution is to end by itself, and say why. */
const LONGEST_PATIENCE = 7 * 24 * 60 * 60;
const SPELLING: Readonly<Record<string, readonly [rule: RegExp, said: string, most?: number]>> = {
  webhookRoute: [/^(on|off)$/, 'on or off'],
  credentialsSecret: [/^[\w/+=.@-]{1,512}$/, 'the name of a secret, not its ARN'],
  eventBus: [/^[\w./-]{1,256}$/, 'the name of a bus, not its ARN'],
  // Its own announcements would come in as requests, be refused, and be announced.
  eventDetailType: [/^(?!DDS Backup )/, 'a detail-type that is not announced'],
  nightlyInstanceId: [/^[A-Za-z0-9-]{0,64}$/, 'the id of an instance'],
  nightlyNamePrefix: [/^[A-Za-z][A-Za-z0-9_-]{0,33}$/, 'a name_prefix'],
  deferredPatienceSeconds: [/^[1-9]\d*$/, `a whole number up to ${LONGEST_PATIENCE}`, LONGEST_PATIENCE],
  stuckAfterHours: [HOURS, 'a number of hours'],
  freshnessHours: [HOURS, 'a number of hours'],
  alarmTopicArn: [/^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+)?$/, 'the ARN of an SNS topic'],
  freshnessIgnores: [/^([A-Za-z0-9-]{1,64}(, ?[A-Za-z0-9-]{1,64})*)?$/, 'ids of instances with commas between'],
};

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

    const wrong = [...this.#unknown(), ...this.#misspelt(), ...this.#unusable(), ...(deploys ? this.#missing() : [])];
    if (wrong.length === 0) return;
    const message = `These parameters are missing or wrong, --param "<name>=<value>" gives them:\n  ${wrong.join('\n  ')}`;
    throw new this.#serverless.classes.Error(message, 'REFUSED_PARAMETERS');
  }

  #unknown(): string[] {
    const { processedInput, configurationInput } = this.#serverless;
    const given = (processedInput.options.param ?? []).map((parameter) => parameter.split('=')[0] ?? '');
    return given
      .filter((name) => !Object.hasOwn(configurationInput.params.default, name))
      .map((name) => `${name}: no parameter has this name`);
  }

  /** What the functions themselves would refuse, at every event. */
  #unusable(): string[] {
    const { environment = {} } = this.#serverless.service.provider;
    try {
      // That it is missing is said where it is required.
      readConfig(strings({ ...environment, OTC_SDK_PROJECT_ID: environment.OTC_SDK_PROJECT_ID || 'missing' }));
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  #misspelt(): string[] {
    const { custom = {} } = this.#serverless.service;
    return Object.entries(SPELLING)
      .filter(([name, [rule, , most]]) => !rule.test(String(custom[name])) || (most && Number(custom[name]) > most))
      .map(([name, [, said]]) => `${name}: ${said}, not ${JSON.stringify(custom[name])}`);
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

const strings = (values: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value ? [[name, String(value)]] : [])));
