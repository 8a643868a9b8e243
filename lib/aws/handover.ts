/** Calls of other functions without waiting: Lambda queues them. What `http` hands over to `deferred` is read here too. */
import { validRequest } from '../backup/request.ts';
import { backupNames, commandOf, type Trigger, type ValidEvent } from '../backup/trigger.ts';
import { Failure, InvalidRequest, isReason, MAX_MESSAGE } from '../errors.ts';
import { fieldsOf, isObject, type JsonObject } from '../json.ts';
import type { Environment } from '../service/config.ts';
import { readId } from '../service/identity.ts';
import { describeEvent } from '../service/log.ts';
import type { ErrorDescription, Handover, Starter } from '../service/ports.ts';
import { parseRfc3339, SECOND } from '../time.ts';
import type { AwsApi } from './api.ts';
import type { DeferredRequest, RecordDescription } from './destination-record.ts';

/** Callers keep five seconds for it. */
const TOTAL_MILLIS = 4.5 * SECOND;

/**
 * Queues a payload for the function that a variable names, by its ARN.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 * @throws Failure `ConfigurationError`, `OutcomeUnknown`
 */
async function start(call: AwsApi, env: Environment, variable: string, payload: object): Promise<void> {
  const name = env[variable];
  if (!name) throw new Failure('ConfigurationError', `Configuration: ${variable} is missing.`);
  await call({
    service: 'lambda',
    path: `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`,
    headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' },
    body: JSON.stringify(payload),
    totalMillis: TOTAL_MILLIS,
    about: `The function ${name}`,
    reason: 'OutcomeUnknown',
  });
}

/** To the alias that the variable `DEFERRED_FUNCTION` names: a durable function has to be called by one. */
export function lambdaHandover(env: Environment, call: AwsApi): Handover {
  return ({ event: { request, trigger }, firstDelivery, outcomeUnknown, error }) => {
    const payload: Payload = {
      handed_over: { request, trigger, first_delivery: firstDelivery, outcome_unknown: outcomeUnknown, error },
    };
    return start(call, env, 'DEFERRED_FUNCTION', payload);
  };
}

/** Starts the function that the variable `INVOKE_FUNCTION` names. */
export const lambdaStarter =
  (env: Environment, call: AwsApi): Starter =>
  (payload) =>
    start(call, env, 'INVOKE_FUNCTION', payload);

/** As JSON; its times are ISO 8601. */
interface Payload {
  readonly handed_over: {
    readonly request: unknown;
    readonly trigger: Trigger;
    readonly first_delivery: Date;
    readonly outcome_unknown: boolean;
    readonly error: ErrorDescription;
  };
}

export const isHandedOver = (payload: unknown): payload is JsonObject => isObject(payload) && 'handed_over' in payload;

/** @throws InvalidRequest when it is not what `lambdaHandover` sends */
export function parseHandedOver(payload: JsonObject): DeferredRequest {
  const { request, trigger, first_delivery, outcome_unknown, error } = fieldsOf(payload.handed_over);
  const { id, time } = fieldsOf(trigger);
  const firstDelivery = parseRfc3339(first_delivery);
  const triggerTime = parseRfc3339(time);
  const isTimeWrong = time !== undefined && !triggerTime;
  if (!firstDelivery || isTimeWrong)
    throw new InvalidRequest(400, 'The payload is not a request that http handed over');
  const event: ValidEvent = {
    request: validRequest(request),
    trigger: { kind: 'http', id: readId('/handed_over/trigger/id', id), ...(triggerTime && { time: triggerTime }) },
  };
  const { reason, message, dds_code } = fieldsOf(error);
  const name = typeof reason === 'string' && isReason(reason) ? reason : undefined;
  return {
    event,
    description: { ...describeHandedOver(payload), name: backupNames(commandOf(event))[0] ?? '' },
    firstDelivery,
    outcomeUnknown: outcome_unknown === true,
    error: {
      reason: name ?? 'Unexpected',
      ...(typeof message === 'string' && { message: message.slice(0, MAX_MESSAGE) }),
      ...(typeof dds_code === 'string' && { dds_code: dds_code.slice(0, 64) }),
    },
    // It is handed over only where a retry may help.
    retry: 'later',
    isCrash: false,
  };
}

export function describeHandedOver(payload: JsonObject): RecordDescription {
  const { request, trigger, first_delivery } = fieldsOf(payload.handed_over);
  const { id } = fieldsOf(trigger);
  return {
    ...describeEvent('http', id, request),
    ...(typeof first_delivery === 'string' && { since: first_delivery.slice(0, 64) }),
  };
}
