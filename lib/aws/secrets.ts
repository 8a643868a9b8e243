/** Reads secrets from AWS Secrets Manager. */
import { Failure } from '../errors.ts';
import { isObject, parseJson } from '../json.ts';
import type { SecretReader } from '../service/ports.ts';
import { SECOND } from '../time.ts';
import type { AwsApi } from './api.ts';

const TOTAL_MILLIS = 8 * SECOND;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export const secretsManager =
  (call: AwsApi): SecretReader =>
  async (secretId) => {
    const about = `The secret ${secretId}`;
    const { text } = await call({
      service: 'secretsmanager',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' },
      body: JSON.stringify({ SecretId: secretId }),
      totalMillis: TOTAL_MILLIS,
      about,
      reason: 'SecretUnavailable',
    });
    const answer = parseJson(text);
    if (!isObject(answer)) throw new Failure('SecretUnavailable', `${about}: the answer is not JSON.`);
    if (typeof answer.SecretString === 'string') return answer.SecretString;
    throw new Failure('ConfigurationError', `${about} holds no text. Store {"ak":"…","sk":"…"} in it.`);
  };
