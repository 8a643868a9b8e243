/** Deliveries as they really come: what the platform hands to a function, and what comes back. */
import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { eventBusHandler } from '../functions/event-bus.ts';
import { httpHandler } from '../functions/http.ts';
import { invokeHandler } from '../functions/invoke.ts';
import type { BackupService } from '../lib/lambda/backup-service.ts';
import { lambdaContext } from '../test/support/lambda.ts';
import type { Chance } from './chance.ts';
import { kindOf, type PlannedEvent } from './events.ts';

export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** How long the platform lets each function run; as in serverless.yml. */
export const LIMIT_MILLIS = { http: 29_000, 'event-bus': 60_000, invoke: 60_000 } as const;

/** What a delivery came to. */
export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'thrown'; readonly error: unknown };

export interface Moment {
  readonly now: Date;
  /** The time that the event states, where it states one: the same in all its deliveries. */
  readonly stated: Date;
  /** New in every delivery. */
  readonly requestId: string;
  readonly remainingMillis: () => number;
}

export type Deliver = (event: PlannedEvent, moment: Moment) => Promise<Answer>;

/** @param chance decides what makes no difference: how a body is encoded, how a time is written */
export function deliverer(service: BackupService, chance: Chance): Deliver {
  const http = httpHandler(service);
  const eventBus = eventBusHandler(service);
  const invoke = invokeHandler(service);

  return async (event, moment) => {
    const context = (requestId = moment.requestId): Context => lambdaContext(moment.remainingMillis, requestId);
    switch (kindOf(event.source)) {
      case 'http':
        // The handlers take whatever comes; their types say what it has become later in the stack.
        return settled(http(httpEvent(event, moment, chance) as never, context()).then(httpAnswer));
      case 'event-bus':
        return settled(eventBus(busEvent(event, moment), context()).then(returned));
      case 'invoke': {
        const requestId = event.source === 'async-invoke' ? event.id : undefined;
        return settled(invoke(payload(event, moment, chance), context(requestId)).then(returned));
      }
    }
  };
}

const httpAnswer = ({ statusCode, body }: APIGatewayProxyResult): Answer => ({
  kind: 'answered',
  status: statusCode,
  body: JSON.parse(body),
});

const returned = (value: unknown): Answer => ({ kind: 'returned', value });

/** The answer, or the error in its place. */
export const settled = (result: Promise<Answer>): Promise<Answer> =>
  result.catch((error: unknown) => ({ kind: 'thrown', error }));

function httpEvent({ source, id, backup }: PlannedEvent, { now, stated, requestId }: Moment, chance: Chance): unknown {
  const text = JSON.stringify({ backup });
  const isBase64Encoded = chance.happens(0.3);
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

const busEvent = ({ id, backup }: PlannedEvent, { stated }: Moment) => ({
  version: '0',
  id,
  'detail-type': 'Backup Requested',
  source: 'chaos',
  time: stated.toISOString().replace('.000', ''),
  detail: { backup },
});

function payload({ source, id, backup }: PlannedEvent, { stated }: Moment, chance: Chance): unknown {
  const time = chance.happens(0.5) ? stated.toISOString() : elsewhere(stated);
  return {
    ...(source !== 'async-invoke' && { id }),
    ...(source === 'invoke-with-time' && { time }),
    backup,
  };
}

/** The same instant as a clock two hours east of Greenwich tells it. */
const elsewhere = (time: Date): string => new Date(time.getTime() + 7_200_000).toISOString().replace('Z', '+02:00');
