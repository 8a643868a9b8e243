/** The two things that open doors: the key that signs requests to DDS, and what webhooks to us are signed with. */
import type { Credentials } from './otc/signer.ts';
import { webhookKeys } from './webhook-signature.ts';

export interface Keys {
  readonly credentials?: Credentials;
  readonly webhookKeys?: readonly Buffer[];
}

interface Given {
  readonly ak?: unknown;
  readonly sk?: unknown;
  readonly security_token?: unknown;
  readonly webhook_secret?: unknown;
}

/**
 * Checks the keys as they were given; each may be missing, but `ak` and `sk` go together.
 * @param problem called for everything that is wrong, with a sentence that does not hold the value
 * @param label what the reader of a problem knows each field by
 */
export function readKeys(
  given: Given,
  problem: (text: string) => void,
  label: (field: keyof Given) => string = (field) => field,
): Keys {
  const text = (field: keyof Given): string | undefined => {
    const value = given[field] ?? '';
    if (value === '') return undefined;
    if (typeof value === 'string') return value;
    problem(`${label(field)} must be a string`);
    return undefined;
  };
  // These travel in headers; a line feed at the end is what a secret read from a file often has.
  const token = (field: keyof Given): string | undefined => {
    const value = text(field);
    if (value !== undefined && !/^[\x21-\x7e]+$/.test(value))
      problem(`${label(field)} holds white space or a character that is not ASCII`);
    return value;
  };
  const ak = token('ak');
  const sk = token('sk');
  const securityToken = token('security_token');
  if (sk && !ak) problem(`${label('ak')} is missing`);
  if (ak && !sk) problem(`${label('sk')} is missing`);

  const secrets = text('webhook_secret');
  const webhooks = secrets === undefined ? undefined : webhookKeys(secrets);
  if (secrets !== undefined && !webhooks) {
    problem(
      `${label('webhook_secret')} must be whsec_ and the base64 of 24 to 64 bytes, once or twice with a space between`,
    );
  }
  return {
    ...(ak && sk && { credentials: { ak, sk, ...(securityToken && { securityToken }) } }),
    ...(webhooks && { webhookKeys: webhooks }),
  };
}
