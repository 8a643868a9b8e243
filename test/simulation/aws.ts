/** The functions of AWS, and what Lambda and API Gateway hand to them. */
import { deferredHandler } from '../../functions/deferred.ts';
import { eventBusHandler } from '../../functions/event-bus.ts';
import { httpHandler } from '../../functions/http.ts';
import { invokeHandler } from '../../functions/invoke.ts';
import type { AwsApi } from '../../lib/aws/api.ts';
import { lambdaHandover } from '../../lib/aws/handover.ts';
import { awsService } from '../../lib/aws/platform.ts';
import { Failure } from '../../lib/errors.ts';
import { call, lambdaContext } from '../support/lambda.ts';
import {
  answered,
  httpRequest,
  payload,
  requestOf,
  returned,
  settled,
  toTheSecond,
  WEBHOOK_SECRET,
} from './deliveries.ts';
import { kindOf, type PlannedEvent } from './events.ts';
import type { Answer } from './history.ts';
import type { Functions, Moment, Surroundings } from './platform.ts';

const DEFERRED_RESERVE_MILLIS = 10_000;

/** @param queue puts a payload into Lambda's queue for `deferred` */
export function startAws(
  { time, draw, setting, url, secret, publish }: Surroundings,
  queue: (payload: unknown) => void,
): Functions {
  const [first, second] = setting.projects.map(({ id }) => id);
  const env = {
    DDS_ENDPOINT: url,
    ...(second === undefined
      ? { OTC_SDK_PROJECT_ID: first ?? '' }
      : { OTC_SDK_PROJECTS: `eu-de:${first},eu-nl:${second}` }),
    OTC_CREDENTIALS_SECRET: 'dds',
    WEBHOOK_SECRET,
    DEFERRED_FUNCTION: 'deferred:live',
    MAX_REQUEST_AGE_HOURS: String(setting.maxRequestAgeHours),
  };
  /** Lambda's queue. An event may be delivered twice, and an answer may be lost after it was queued. */
  const callLambda: AwsApi = async ({ body, reason }) => {
    const request = JSON.parse(body);
    const delivery = time.running();
    const how = draw.weighted([
      [7, { copies: 1, isKnown: true }],
      [1, { copies: 2, isKnown: true }],
      [1, { copies: 1, isKnown: false }],
      [1, { copies: 0, isKnown: false }],
    ]);
    for (let copy = 0; copy < how.copies; copy++) queue(request);
    if (delivery) delivery.handover = how.isKnown ? 'queued' : 'unknown';
    if (!how.isKnown) throw new Failure(reason, 'The function deferred: not answered.');
    return { status: 202, headers: {}, text: '' };
  };
  const common = {
    env,
    timing: { now: time.now, wait: time.sleep, random: draw.next },
    readSecret: secret,
    handover: lambdaHandover(env, callLambda),
    publish,
    notify: async () => {},
  };
  const service = awsService(common);
  const http = httpHandler(service);
  const functions = { 'event-bus': eventBusHandler(service), invoke: invokeHandler(service) };

  return {
    deferred: deferredHandler(awsService({ ...common, reserveMillis: DEFERRED_RESERVE_MILLIS })),
    deliver: async (event, moment) => {
      const requestId = event.source === 'async-invoke' ? event.id : moment.requestId;
      const context = lambdaContext(moment.remainingMillis, requestId);
      const kind = kindOf(event.source);
      if (kind === 'http')
        return { answer: await settled(call(http, httpEvent(event, moment, draw), context).then(answered)) };
      const name = kind === 'event-bus' ? kind : 'invoke';
      const input = name === 'event-bus' ? busEvent(event, moment) : payload(event, moment, draw);
      const answer = await settled(call(functions[name], input, context).then(returned));
      return { answer, record: recordOf(answer, input, { name, requestId, now: time.now() }) };
    },
  };
}

/** What Lambda sends to the failure destination of an asynchronous invocation, as JSON; undefined for one that succeeded. */
function recordOf(
  answer: Answer,
  input: unknown,
  { name, requestId, now }: { readonly name: string; readonly requestId: string; readonly now: Date },
): unknown {
  if (answer.kind !== 'thrown') return undefined;
  const { name: errorType, message } = answer.error instanceof Error ? answer.error : new Error(String(answer.error));
  return {
    version: '1.0',
    timestamp: now.toISOString(),
    requestContext: {
      requestId,
      functionArn: `arn:aws:lambda:eu-central-1:123456789012:function:dds-backup-trigger-dev-${name}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: 1,
    },
    requestPayload: input,
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType, errorMessage: message, trace: [] },
  };
}

function httpEvent(event: PlannedEvent, moment: Moment, draw: Surroundings['draw']): unknown {
  const { source, id } = event;
  const { text, headers, isToWebhooks } = httpRequest(event, moment);
  const isBase64Encoded = draw.happens(0.3);
  const isPlain = source === 'plain-request';
  return {
    headers,
    body: isBase64Encoded ? Buffer.from(text).toString('base64') : text,
    isBase64Encoded,
    rawPath: isToWebhooks ? '/dev/webhooks' : draw.pick(['/', '/dev/backups']),
    requestContext: {
      requestId: isPlain ? id : moment.requestId,
      timeEpoch: (isPlain ? moment.stated : moment.now).getTime(),
      ...(source !== 'webhook' && { authorizer: { iam: { userArn: 'arn:aws:iam::123456789012:user/ci' } } }),
    },
  };
}

const busEvent = (event: PlannedEvent, moment: Moment) => ({
  version: '0',
  id: event.id,
  'detail-type': 'Backup Requested',
  source: 'simulation',
  time: toTheSecond(moment.stated),
  detail: requestOf(event, moment),
});
