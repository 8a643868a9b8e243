import type { Config, Environment } from '../config.ts';
import { Failure } from '../failure.ts';
import type { Keys } from '../keys.ts';
import type { Credentials } from '../otc/signer.ts';
import { readSecret } from './secrets-extension.ts';

const LIFETIME_MILLIS = 5 * 60 * 1000;

/**
 * The keys: from the environment where it has them, else from the secret, of which a copy is kept for five minutes.
 * Both calls throw what `readConfig` and `readSecret` throw.
 * @param timeoutMillis how long the extension may take to answer
 */
export function keyStore(config: () => Config, env: Environment, now: () => Date, timeoutMillis = 5000) {
  let copy: { readonly keys: Keys; readonly until: number } | undefined;

  async function secret(renew: boolean): Promise<Keys> {
    const { secretId } = config();
    if (secretId === undefined) return {};
    if (renew || copy === undefined || now().getTime() >= copy.until) {
      copy = { keys: await readSecret(secretId, env, timeoutMillis), until: now().getTime() + LIFETIME_MILLIS };
    }
    return copy.keys;
  }

  return {
    /** @param options `renew` reads the secret again at once: after the gateway refused its key */
    async credentials({ renew } = { renew: false }): Promise<Credentials> {
      const credentials = config().keys.credentials ?? (await secret(renew)).credentials;
      if (!credentials) throw new Failure('ConfigurationError', `The secret ${config().secretId} holds no ak and sk.`);
      return credentials;
    },

    /** None where webhooks are not configured. */
    async webhookKeys(): Promise<readonly Buffer[]> {
      return config().keys.webhookKeys ?? (await secret(false)).webhookKeys ?? [];
    },
  };
}
