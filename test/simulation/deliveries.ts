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

export type Deliver = (event: PlannedEvent, moment: Moment) => Promise<Answer>;

/** @param draw decides what makes no difference: how a body is encoded, how a time is written */
export function deliverer(service: Service, draw: Chance): Deliver {
  const http = httpHandler(service);
  const eventBus = eventBusHandler(service);
  const invoke = invokeHandler(service);

  return async (event, moment) => {
    const context = (requestId = moment.requestId): Context => lambdaContext(moment.remainingMillis, requestId);
    switch (kindOf(event.source)) {
      case 'http':
        return settled(call(http, httpEvent(event, moment, draw), context()).then(answered));
      case 'event-bus':
        return settled(call(eventBus, busEvent(event, moment), context()).then(returned));
      case 'invoke': {
        const requestId = event.source === 'async-invoke' ? event.id : undefined;
        return settled(call(invoke, payload(event, moment, draw), context(requestId)).then(returned));
      }
    }
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

const requestOf = ({ backup }: PlannedEvent, { notAfter }: Moment) => ({
  backup,
  ...(notAfter && { not_after: notAfter.toISOString() }),
});

function httpEvent(event: PlannedEvent, moment: Moment, draw: Chance): unknown {
  const { source, id } = event;
  const { now, stated, requestId } = moment;
  const text = JSON.stringify(requestOf(event, moment));
  const isBase64Encoded = draw.happens(0.3);
  const body = isBase64Encoded ? Buffer.from(text).toString('base64') : text;
  const json = { 'Content-Type': 'application/json' };
  const authorizer = { iam: { userArn: 'arn:aws:iam::123456789012:user/ci' } };
  const common = { body, isBase64Encoded };
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
