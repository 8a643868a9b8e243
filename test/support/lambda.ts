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

/** One of the samples in `events/`. */
export const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../events/${name}.json`, import.meta.url), 'utf8'));
