/** Deliveries: what a platform hands to a function for an event, and what comes back. */
import { Webhook } from 'standardwebhooks';
import { httpAnswer } from '../support/lambda.ts';
import type { Chance } from './chance.ts';
import type { PlannedEvent } from './events.ts';
import type { Answer } from './history.ts';
import type { Moment } from './platform.ts';

export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** What an HTTP function returned. Throws for what is not an HTTP answer. */
export function answered(value: unknown): Answer {
  const { statusCode, headers, body } = httpAnswer(value);
  return { kind: 'answered', status: statusCode, headers, body };
}

export const returned = (value: unknown): Answer => ({ kind: 'returned', value });

/** The answer, or the error in its place. */
export const settled = (result: Promise<Answer>): Promise<Answer> =>
  result.catch((error: unknown) => ({ kind: 'thrown', error }));

export const requestOf = ({ backup, project }: PlannedEvent, { notAfter }: Moment) => ({
  backup,
  ...(project !== undefined && { project }),
  ...(notAfter && { not_after: notAfter.toISOString() }),
});

/** What the sender of an HTTP request sends. */
export function httpRequest(event: PlannedEvent, moment: Moment) {
  const { source, id } = event;
  const text = JSON.stringify(requestOf(event, moment));
  const isToWebhooks = source === 'webhook' && event.isAsync;
  const headers = {
    'Content-Type': 'application/json',
    ...(event.isAsync && !isToWebhooks && { Prefer: 'respond-async, wait=10' }),
    ...(source === 'idempotent-request' && { 'Idempotency-Key': id }),
    ...(source === 'webhook' && {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(moment.now.getTime() / 1000)),
      'webhook-signature': new Webhook(WEBHOOK_SECRET).sign(id, moment.now, text),
    }),
  };
  return { text, headers, isToWebhooks };
}

/** The payload of a direct call. */
export function payload(event: PlannedEvent, moment: Moment, draw: Chance): unknown {
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

/** To the second, as platforms state times. */
export const toTheSecond = (time: Date): string => time.toISOString().replace('.000', '');
