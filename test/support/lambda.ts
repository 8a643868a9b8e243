import { readFileSync } from 'node:fs';
import type { Context } from 'aws-lambda';

/** What Lambda hands to a handler beside the event. */
export const lambdaContext = (
  remainingMillis: number | (() => number) = 30_000,
  awsRequestId = 'request-1',
): Context => ({
  awsRequestId,
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'test',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:test',
  memoryLimitInMB: '256',
  logGroupName: '/aws/lambda/test',
  logStreamName: 'test',
  getRemainingTimeInMillis: typeof remainingMillis === 'number' ? () => remainingMillis : remainingMillis,
  done: () => {},
  fail: () => {},
  succeed: () => {},
});

/**
 * Calls a handler as Lambda does: with an event of any shape. middy's types ask for the event that the last middleware
 * leaves, so this is the one place that casts.
 */
export const call = (
  handler: (event: never, context: Context) => Promise<unknown>,
  event: unknown,
  context: Context,
): Promise<unknown> => handler(event as never, context);

/** An HTTP answer of a handler, its body parsed. Throws for any other value. */
export function httpAnswer(value: unknown): {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly text: string;
} {
  const { statusCode, headers, body } = Object(value);
  if (typeof statusCode !== 'number' || typeof body !== 'string' || typeof headers !== 'object')
    throw new Error(`Not an HTTP answer: ${JSON.stringify(value)}`);
  return { statusCode, headers, body: JSON.parse(body), text: body };
}

/** One of the samples in `events/`. */
export const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../events/${name}.json`, import.meta.url), 'utf8'));
