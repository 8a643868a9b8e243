import { parseJson } from '../json.ts';
import type { Instance } from '../records.ts';
import { isRefusal, type Refusal, refusals } from '../refusals.ts';
import type { State } from '../state.ts';
import { type Call, done, type Operation } from './operation.ts';

interface Wanted {
  readonly instanceId: string;
  readonly name: string;
  readonly description: string;
}

/**
 * `POST /v3/{project_id}/backups`. Reference: "Creating a Manual Backup" (dds_api_0027), "Error Code" (dds_error_code).
 *
 * Checks, in this order: content type and JSON; the members and their types; instance id, name, description; that the
 * instance exists; that the name is free among all backups of the project that exist, whatever their status; that the
 * instance is `normal`; that nothing runs on it. The reference names the rules, not their order.
 */
export const createBackup: Operation = (call) => {
  const wanted = readRequest(call);
  if (isRefusal(wanted)) return wanted;
  const { state, settings } = call;
  const instance = state.instance(wanted.instanceId);
  if (!instance) return refusals.noSuchInstance;

  const checks = [
    () => (state.isNameTaken(wanted.name) ? refusals.nameTaken : undefined),
    () => checkInstance(state, instance),
  ];
  for (const check of settings.busyFirst ? checks.reverse() : checks) {
    const refusal = check();
    if (refusal) return refusal;
  }
  return done(state.beginBackup(instance, wanted.name, wanted.description));
};

function checkInstance(state: State, instance: Instance): Refusal | undefined {
  if (instance.status !== 'normal') return refusals.instanceUnavailable;
  return state.isBusy(instance.id) ? refusals.instanceBusy : undefined;
}

function readRequest({ contentType, body }: Call): Wanted | Refusal {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json') return refusals.parameterError;
  const request = parseJson(body);
  if (!hasOnly(request, ['backup']) || !hasOnly(request.backup, ['instance_id', 'name', 'description']))
    return refusals.parameterError;

  const { instance_id: instanceId, name, description = '' } = request.backup;
  if (typeof instanceId !== 'string' || typeof name !== 'string' || typeof description !== 'string')
    return refusals.parameterError;
  if (instanceId === '') return refusals.invalidInstanceId;
  if (!/^[A-Za-z][A-Za-z0-9_-]{3,63}$/.test(name)) return refusals.invalidName;
  if (!isDescription(description)) return refusals.invalidDescription;
  return { instanceId, name, description };
}

/**
 * At most 256 characters, none of `>!<"&'=`; no carriage return (the console's manual). A character outside the Basic
 * Multilingual Plane counts once: the reference does not say.
 */
const isDescription = (text: string): boolean => /^[^>!<"&'=\r]*$/.test(text) && [...text].length <= 256;

type Members<Name extends string> = Readonly<Partial<Record<Name, unknown>>>;

/** An object with no member but these: stricter than documented, to catch a client that sends more. */
const hasOnly = <Name extends string>(value: unknown, members: readonly Name[]): value is Members<Name> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).every((key) => members.some((member) => member === key));
