/** Who may call http: closed unless opened. */
import type { MiddlewareObj } from '@middy/core';
import { Failure } from '../failure.ts';
import { isSigned, isVerifiable } from '../webhook-signature.ts';
import type { BackupService } from './backup-service.ts';
import { type HttpEvent, isObject } from './http-event.ts';

/**
 * Lets in whom the gateway has authorised, and whoever signed the webhook with a configured secret within the last
 * five minutes. Runs before the body is parsed: the signature is over its bytes.
 * @throws Failure `Unauthorized`, with no hint at what was wrong; `ConfigurationError`, with none at the configuration,
 * when there is a signature and nothing to verify it with can be read: its cause is for the log
 */
export const knownCaller = ({ isOpen, now, webhookKeys }: BackupService): MiddlewareObj<HttpEvent> => {
  const refuseUnsigned = async ({ headers, body, isBase64Encoded }: HttpEvent): Promise<void> => {
    const webhook = {
      id: headers['webhook-id'],
      timestamp: headers['webhook-timestamp'],
      signatures: headers['webhook-signature'],
      body: Buffer.from(typeof body === 'string' ? body : '', isBase64Encoded ? 'base64' : 'utf8'),
    };
    if (isVerifiable(webhook, now()) && isSigned(webhook, await webhookKeys().catch(unverifiable))) return;
    throw new Failure(
      'Unauthorized',
      'Call through the gateway with its authorisation, or sign the request: webhook-id, webhook-timestamp, webhook-signature (standardwebhooks.com).',
    );
  };

  return {
    before: ({ event }) => (isOpen || isAuthorisedByGateway(event.requestContext) ? undefined : refuseUnsigned(event)),
  };
};

const unverifiable = (cause: unknown): never => {
  throw new Failure('ConfigurationError', 'Signatures cannot be verified at the moment.', { cause });
};

/** What each kind of authoriser leaves behind; an empty one has authorised nobody. */
function isAuthorisedByGateway({ authorizer, identity }: HttpEvent['requestContext']): boolean {
  const left = isObject(authorizer) ? authorizer : {};
  const { iam, jwt, lambda, claims, principalId } = left;
  return [
    isObject(iam) && iam.userArn,
    isObject(jwt) && jwt.claims,
    lambda,
    // REST
    isObject(identity) && identity.userArn,
    claims,
    principalId,
  ].some(isSaid);
}

const isSaid = (value: unknown): boolean =>
  typeof value === 'string' ? value !== '' : isObject(value) && Object.keys(value).length > 0;
