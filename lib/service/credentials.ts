/** The access key for DDS and the key of webhooks: from the environment, or else from a secret. */
import { Failure } from '../errors.ts';
import { fieldsOf, isObject, parseJson } from '../json.ts';
import type { Credentials } from '../otc/signer.ts';
import { MINUTE, SECOND } from '../time.ts';
import { type Config, type Environment, readCredentials } from './config.ts';
import { describeError, log } from './log.ts';
import type { SecretReader } from './ports.ts';

const LIFETIME = 5 * MINUTE;
/** A failure is remembered so long, so that forged webhooks do not each read the secret. */
const FAILURE_LIFETIME = 5 * SECOND;

export interface CredentialStore {
  /**
   * The access key of a project: its own, where the secret has one, else that of all.
   * @param options `renew` reads the secret again at once: after the gateway refused its key
   * @throws Failure `ConfigurationError`, `SecretUnavailable`
   */
  credentials(projectId: string, options?: { readonly renew: boolean }): Promise<Credentials>;
  /** As it was configured; undefined where it was not. Throws as `credentials`. */
  webhookSecret(): Promise<string | undefined>;
}

interface Secret {
  /** Of all projects without one of their own. Instead of a key that is wrong: what is wrong with it. */
  readonly credentials: Credentials | string;
  /** By project. */
  readonly projects: ReadonlyMap<string, Credentials | string>;
  readonly webhookSecret?: string;
}

/** Keeps a copy of the secret for five minutes, and for longer while it cannot be read again. */
export function credentialStore(
  config: () => Config,
  env: Environment,
  readSecret: SecretReader,
  now: () => Date,
): CredentialStore {
  let copy: { readonly secret: Secret; readonly readAt: number } | undefined;
  let failed: { readonly failure: Failure; readonly at: number } | undefined;
  let reading: Promise<Secret> | undefined;

  async function read(secretId: string): Promise<Secret> {
    try {
      copy = { secret: parseSecret(secretId, await readSecret(secretId)), readAt: now().getTime() };
      failed = undefined;
      return copy.secret;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed = { failure: error, at: now().getTime() };
      if (!copy) throw error;
      const age_seconds = Math.round((now().getTime() - copy.readAt) / SECOND);
      log('warn', { event: 'secret.stale', ...describeError(error), age_seconds });
      return copy.secret;
    }
  }

  async function secret(renew: boolean): Promise<Secret> {
    const { secretId } = config();
    if (secretId === undefined) return { credentials: 'no secret is configured', projects: new Map() };
    const isFresh = copy !== undefined && now().getTime() < copy.readAt + LIFETIME;
    if (copy && isFresh && !renew) return copy.secret;
    if (failed && now().getTime() < failed.at + FAILURE_LIFETIME) {
      if (copy) return copy.secret;
      throw anew(failed.failure);
    }
    reading ??= read(secretId).finally(() => {
      reading = undefined;
    });
    return reading.catch((error: unknown) => {
      throw error instanceof Failure ? anew(error) : error;
    });
  }

  return {
    async credentials(projectId, { renew } = { renew: false }) {
      const { credentials: given, secretId } = config();
      if (given) return given;
      const { projects, credentials } = await secret(renew);
      const own = projects.get(projectId) ?? credentials;
      if (typeof own !== 'string') return own;
      throw new Failure('ConfigurationError', `The secret ${secretId}, project ${projectId}: ${own}.`);
    },
    webhookSecret: async () => env.WEBHOOK_SECRET || (await secret(false)).webhookSecret,
  };
}

/** Each caller gets an error of its own, which is annotated with its own request. */
const anew = ({ name, message, cause }: Failure): Failure => new Failure(name, message, { cause });

/**
 * `{ "ak", "sk", "security_token"?, "webhook_secret"?, "projects"?: { "<project_id>": { "ak", "sk" } } }`. A key that is
 * wrong fails only what needs it.
 */
function parseSecret(secretId: string, text: string): Secret {
  const fields = parseJson(text);
  if (!isObject(fields))
    throw new Failure('ConfigurationError', `The secret ${secretId} is malformed: it is not a JSON object.`);
  const { webhook_secret, projects } = fields;
  const ofProjects = Object.entries(fieldsOf(projects)).map(([id, key]) => [id, readKey(key)] as const);
  return {
    credentials: readKey(fields),
    projects: new Map(ofProjects),
    // Checked where a signature is.
    ...(webhook_secret ? { webhookSecret: String(webhook_secret) } : {}),
  };
}

/** An access key, or what is wrong with it. */
function readKey(fields: unknown): Credentials | string {
  const problems: string[] = [];
  const problem = (what: string) => void problems.push(what);
  const key = readCredentials(fieldsOf(fields), problem, (field) => field);
  return problems.length > 0 || !key ? problems.join('; ') || 'ak and sk are missing' : key;
}
