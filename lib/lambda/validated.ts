import validator from '@middy/validator';
import { type BackupRequest, validateRequest } from '../backup/validate-request.js';
import type { TriggerSource } from './trigger-source.ts';

/** Refuses an event whose request breaks a rule of the schema. */
export function validated<Event>({ request }: TriggerSource<Event>) {
  const eventSchema = (event: Event): boolean => {
    const valid = validateRequest(request(event));
    eventSchema.errors = validateRequest.errors;
    return valid;
  };
  eventSchema.errors = validateRequest.errors;

  // middy's types ask for an Ajv instance; its code, for the compiled function.
  const options: { eventSchema: unknown } = { eventSchema };
  return validator(options as Parameters<typeof validator>[0]);
}

/** The request of an event that `validated` let through. */
export const requestOf = <Event>({ request }: TriggerSource<Event>, event: Event) => request(event) as BackupRequest;
