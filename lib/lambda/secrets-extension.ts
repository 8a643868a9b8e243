/**
 * The AWS Parameters and Secrets Lambda Extension, which answers on localhost inside the function.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
import type { Environment } from '../config.ts';
import { Failure } from '../failure.ts';
import { type Keys, readKeys } from '../keys.ts';
import { type Answer, connection } from '../otc/connection.ts';

/**
 * The keys in the Secrets Manager secret `secretId`, a JSON object with `ak`, `sk`, `security_token`? and
 * `webhook_secret`?. Works inside an invocation only: before, the extension is not ready.
 * @throws Failure `ConfigurationError` when there is no such secret, no right to read it, or it is not of that form;
 * `SecretUnavailable` when the extension does not answer within `timeoutMillis`, or cannot at the moment
 */
export async function readSecret(secretId: string, env: Environment, timeoutMillis: number): Promise<Keys> {
  const about = `The secret ${secretId}`;
  const { status, text } = await get(secretId, env, timeoutMillis);
  if (status !== 200) {
    throw new Failure(
      status === 429 || status >= 500 ? 'SecretUnavailable' : 'ConfigurationError',
      `${about} could not be read: the secrets extension answered ${status}. Does it exist, and may the function read it?`,
    );
  }
  const given = parse(parse(text)?.SecretString);
  const problems: string[] = [];
  const keys = given && readKeys(given, (problem) => void problems.push(problem));
  if (!keys) problems.push('it is not a JSON object');
  if (!keys || problems.length > 0)
    throw new Failure('ConfigurationError', `${about} is malformed: ${problems.join('; ')}.`);
  return keys;
}

function parse(text: unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // The parser's message quotes the text: the secret.
    return undefined;
  }
}

async function get(secretId: string, env: Environment, timeoutMillis: number): Promise<Answer> {
  const send = connection(`http://localhost:${env.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT || 2773}`);
  const request = {
    method: 'GET',
    path: `/secretsmanager/get?secretId=${encodeURIComponent(secretId)}`,
    headers: { 'x-aws-parameters-secrets-token': env.AWS_SESSION_TOKEN ?? '', connection: 'close' },
    body: '',
  };
  return send(request, { timeoutMillis }).catch((cause: Error) => {
    const message = `The secrets extension gave no answer within ${timeoutMillis} ms: ${cause.message} Is its layer there?`;
    throw new Failure('SecretUnavailable', message, { cause });
  });
}
