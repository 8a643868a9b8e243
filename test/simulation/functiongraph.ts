/** The functions of FunctionGraph, and what its triggers hand to them. */
import { eventHandler } from '../../functions/functiongraph/event.ts';
import { httpHandler } from '../../functions/functiongraph/http.ts';
import { handlerOf } from '../../lib/functiongraph/platform.ts';
import { contextWith, smnRecord, timerEvent } from '../support/functiongraph.ts';
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
import type { Functions, Moment, Surroundings } from './platform.ts';

export function startFunctionGraph({ time, draw, setting, url, secret, publish }: Surroundings): Functions {
  const [project] = setting.projects;
  const userData = {
    DDS_ENDPOINT: url,
    MAX_REQUEST_AGE_HOURS: String(setting.maxRequestAgeHours),
    MAX_WAIT_SECONDS: String(setting.maxWaitSeconds),
  };
  const options = {
    timing: { now: time.now, wait: time.sleep, random: draw.next },
    publish,
    notify: async () => {},
  };
  const functions = {
    gateway: { handler: handlerOf(httpHandler, options), userData: { ...userData, HTTP_AUTH: 'gateway' } },
    webhooks: { handler: handlerOf(httpHandler, options), userData: { ...userData, WEBHOOK_SECRET } },
    event: { handler: handlerOf(eventHandler, options), userData },
  };
  const invoke = async (name: keyof typeof functions, event: unknown, { requestId, remainingMillis }: Moment) => {
    const { handler, userData } = functions[name];
    const keys = JSON.parse(await secret());
    return handler(event, contextWith({ userData, keys, projectId: project?.id, requestId, remainingMillis }));
  };

  const inputOf = (event: PlannedEvent, moment: Moment): unknown => {
    switch (kindOf(event.source)) {
      case 'smn':
        return { record: [smnRecord(requestOf(event, moment), event.id, toTheSecond(moment.stated))] };
      case 'timer': {
        // Whether it is the planned time or the actual one is not documented.
        const time = new Date(moment.stated.getTime() + draw.whole(-59_999, 239_999));
        return timerEvent(time.toISOString(), requestOf(event, moment), event.id);
      }
      default:
        return payload(event, moment, draw);
    }
  };

  return {
    deliver: async (event, moment) => {
      const { source } = event;
      if (kindOf(source) !== 'http')
        return { answer: await settled(invoke('event', inputOf(event, moment), moment).then(returned)) };
      const name = source === 'webhook' ? 'webhooks' : 'gateway';
      return { answer: await settled(invoke(name, apigEvent(event, moment), moment).then(answered)) };
    },
  };
}

function apigEvent(event: PlannedEvent, moment: Moment): unknown {
  const { text, headers } = httpRequest(event, moment);
  return {
    body: Buffer.from(text).toString('base64'),
    isBase64Encoded: true,
    headers,
    httpMethod: 'POST',
    path: event.source === 'webhook' ? '/webhooks' : '/backups',
    pathParameters: {},
    queryStringParameters: {},
    requestContext: {
      apiId: 'simulation',
      stage: 'RELEASE',
      requestId: event.source === 'timeless-request' ? event.id : moment.requestId,
    },
  };
}
