/** The events of AWS that ask for a backup: where the request is in each, and what identifies the trigger. */
import { fieldsOf, isObject } from '../json.ts';
import { readId, readTime, recent } from '../service/identity.ts';
import { describeEvent } from '../service/log.ts';
import type { Source } from '../service/ports.ts';

/** EventBridge: the request is `detail`. `id` and `time` survive a redelivery. */
export const eventBus: Source<unknown> = {
  parse: (event) => {
    const { id, time, detail } = fieldsOf(event);
    return { request: detail, trigger: { kind: 'event-bus', id: readId('/id', id), time: readTime('/time', time) } };
  },
  describe: (event) => {
    const { id, detail } = fieldsOf(event);
    return describeEvent('event-bus', id, detail);
  },
};

/**
 * Another function or a schedule: `id` and `time` beside the request, each optional. Without an id the request id is
 * taken, which Lambda's own asynchronous retry keeps.
 * @param now what the time is held against
 */
export const invoke = (now: () => Date): Source<unknown> => ({
  parse: (event, { awsRequestId }) => {
    if (!isObject(event)) return { request: event, trigger: { kind: 'invoke', id: awsRequestId } };
    const { id = awsRequestId, time, ...request } = event;
    return {
      request,
      trigger: {
        kind: 'invoke',
        id: readId('/id', id),
        ...(time !== undefined && { time: recent('/time', readTime('/time', time), now()) }),
      },
    };
  },
  describe: (event) => describeEvent('invoke', fieldsOf(event).id, event),
});
