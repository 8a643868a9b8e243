/** Deliveries: what the platform hands to a function for an event, and what comes back. */
import type { Context } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { eventBusHandler } from '../../functions/event-bus.ts';
import { httpHandler } from '../../functions/http.ts';
import { invokeHandler } from '../../functions/invoke.ts';
import type { Service } from '../../lib/service/service.ts';
import { call, httpAnswer, lambdaContext } from '../support/lambda.ts';
import type { Chance } from './chance.ts';
import { kindOf, type PlannedEvent } from './events.ts';

export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** How long the platform lets each function run; as in serverless.yml. */
export const LIMIT_MILLIS = { http: 29_000, 'event-bus': 60_000, invoke: 60_000 } as const;

export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, unknown>>;
      readonly body: unknown;
    }
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'thrown'; readonly error: unknown };

export interface Moment {
  readonly now: Date;
  /** The time that the event states, where it states one: the same in all its deliveries. */
  readonly stated: Date;
  readonly notAfter: Date | undefined;
  /** New in every delivery. */
  readonly requestId: string;
  readonly remainingMillis: () => number;
}

/** What came of it, and the event as the platform brought it. */
export interface Delivered {
  readonly answer: Answer;
  readonly input: unknown;
}

export type Deliver = (event: PlannedEvent, moment: Moment) => Promise<Delivered>;

/** @param draw decides what makes no difference: how a body is encoded, how a time is written */
export function deliverer(service: Service, draw: Chance): Deliver {
  const http = httpHandler(service);
  const eventBus = eventBusHandler(service);
  const invoke = invokeHandler(service);

  return async (event, moment) => {
    const context = (requestId = moment.requestId): Context => lambdaContext(moment.remainingMillis, requestId);
    switch (kindOf(event.source)) {
      case 'http': {
        const input = httpEvent(event, moment, draw);
        return { input, answer: await settled(call(http, input, context()).then(answered)) };
      }
      case 'event-bus': {
        const input = busEvent(event, moment);
        return { input, answer: await settled(call(eventBus, input, context()).then(returned)) };
      }
      case 'invoke': {
        const requestId = event.source === 'async-invoke' ? event.id : undefined;
        const input = payload(event, moment, draw);
        return { input, answer: await settled(call(invoke, input, context(requestId)).then(returned)) };
      }
    }
  };
}

/**
 * What Lambda sends to the failure destination of an asynchronous invocation, as JSON; undefined for one that succeeded,
 * and for http, which is never invoked so.
 */
export function recordOf(event: PlannedEvent, { answer, input }: Delivered, { requestId }: Moment, now: Date): unknown {
  const kind = kindOf(event.source);
  if (answer.kind !== 'thrown' || kind === 'http') return undefined;
  const { name, message } = answer.error instanceof Error ? answer.error : new Error(String(answer.error));
  return {
    version: '1.0',
    timestamp: now.toISOString(),
    requestContext: {
      requestId: event.source === 'async-invoke' ? event.id : requestId,
      functionArn: `arn:aws:lambda:eu-central-1:123456789012:function:dds-backup-trigger-dev-${kind}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: 1,
    },
    requestPayload: input,
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: name, errorMessage: message, trace: [] },
  };
}

/** What an HTTP function returned. Throws for what is not an HTTP answer. */
export function answered(value: unknown): Answer {
  const { statusCode, headers, body } = httpAnswer(value);
  return { kind: 'answered', status: statusCode, headers, body };
}

export const returned = (value: unknown): Answer => ({ kind: 'returned', value });

/** The answer, or the error in its place. */
export const settled = (result: Promise<Answer>): Promise<Answer> =>
  result.catch((error: unknown) => ({ kind: 'thrown', error }));

const requestOf = ({ backup, project }: PlannedEvent, { notAfter }: Moment) => ({
  backup,
  ...(project !== undefined && { project }),
  ...(notAfter && { not_after: notAfter.toISOString() }),
});

function httpEvent(event: PlannedEvent, moment: Moment, draw: Chance): unknown {
  const { source, id } = event;
  const { now, stated, requestId } = moment;
  const text = JSON.stringify(requestOf(event, moment));
  const isBase64Encoded = draw.happens(0.3);
  const body = isBase64Encoded ? Buffer.from(text).toString('base64') : text;
  const isToWebhooks = source === 'webhook' && event.isAsync;
  const json = {
    'Content-Type': 'application/json',
    ...(event.isAsync && !isToWebhooks && { Prefer: 'respond-async, wait=10' }),
  };
  const authorizer = { iam: { userArn: 'arn:aws:iam::123456789012:user/ci' } };
  const common = { body, isBase64Encoded, rawPath: isToWebhooks ? '/dev/webhooks' : draw.pick(['/', '/dev/backups']) };
  switch (source) {
    case 'webhook': {
      const signed = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(WEBHOOK_SECRET).sign(id, now, text),
      };
      return { ...common, headers: { ...json, ...signed }, requestContext: { requestId, timeEpoch: now.getTime() } };
    }
    case 'idempotent-request': {
      const headers = { ...json, 'Idempotency-Key': id };
      return { ...common, headers, requestContext: { requestId, timeEpoch: now.getTime(), authorizer } };
    }
    default:
      return { ...common, headers: json, requestContext: { requestId: id, timeEpoch: stated.getTime(), authorizer } };
  }
}

const busEvent = (event: PlannedEvent, moment: Moment) => ({
  version: '0',
  id: event.id,
  'detail-type': 'Backup Requested',
  source: 'simulation',
  time: moment.stated.toISOString().replace('.000', ''),
  detail: requestOf(event, moment),
});

function payload(event: PlannedEvent, moment: Moment, draw: Chance): unknown {
  const { source, id } = event;
  const { stated } = moment;
  const time = draw.happens(0.5) ? stated.toISOString() : inAnotherZone(stated);
  return {
    ...(source !== 'async-invoke' && { id }),
    ...(source === 'invoke-with-time' && { time }),
    ...requestOf(event, moment),
  };
}

/** The same instant at UTC+2. */
const inAnotherZone = (time: Date): string => new Date(time.getTime() + 7_200_000).toISOString().replace('Z', '+02:00');
