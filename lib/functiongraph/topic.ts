/** Publishes events and texts to topics of Simple Message Notification (SMN). */
import { type Budget, retry } from '../dds/retry.ts';
import { Failure } from '../errors.ts';
import { endpointOf } from '../otc/endpoints.ts';
import type { Credentials } from '../otc/signer.ts';
import { signingClient } from '../otc/signing-client.ts';
import type { Environment } from '../service/config.ts';
import { originOf } from '../service/log.ts';
import type { BusEvent, Notifier, Publisher } from '../service/ports.ts';
import { SECOND, type Timing } from '../time.ts';

const ATTEMPT_MILLIS = 3 * SECOND;
const TOTAL_MILLIS = 8 * SECOND;
/** SMN API reference, "Publishing a Message". */
const MAX_SUBJECT = 512;
const MAX_MESSAGE_BYTES = 256 * 1024;

type ReadCredentials = () => Promise<Credentials>;

/** Each event is a message: JSON in the shape of an EventBridge event, under a subject that a person can read. */
export function topicPublisher(env: Environment, credentials: ReadCredentials, timing: Timing): Publisher {
  const send = sender(env, credentials, timing);
  return async (events) => {
    const { EVENT_TOPIC_URN: topic } = env;
    if (!topic) throw new Failure('ConfigurationError', 'Configuration: EVENT_TOPIC_URN is missing.');
    const results = await Promise.allSettled(
      events.map((event) => send(topic, subjectOf(event), messageOf(event, env))),
    );
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length === 0) return;
    const [cause] = failures;
    if (!(cause instanceof Failure) || cause.name === 'ConfigurationError') throw cause;
    throw new Failure('PublishFailed', `${failures.length} of ${events.length} events: ${cause.message}`, { cause });
  };
}

/** To the topic that the variable `ALARM_TOPIC_URN` names; to nowhere without one. */
export function topicNotifier(env: Environment, credentials: ReadCredentials, timing: Timing): Notifier {
  const send = sender(env, credentials, timing);
  return async (subject, text) => {
    if (env.ALARM_TOPIC_URN) await send(env.ALARM_TOPIC_URN, subject, text);
  };
}

const subjectOf = ({ type, detail }: BusEvent): string =>
  [type, detail.instance_name ?? detail.instance_id, detail.name].filter(Boolean).join(': ').slice(0, MAX_SUBJECT);

const messageOf = ({ type, time, detail }: BusEvent, env: Environment): string =>
  JSON.stringify({
    source: 'dds-backup-trigger',
    'detail-type': type,
    time: time.toISOString(),
    detail: { ...originOf(env), ...detail },
  });

/** Sends one message. Throws Failure `PublishFailed` or `ConfigurationError`. */
function sender(env: Environment, credentials: ReadCredentials, timing: Timing) {
  const region = env.OTC_SDK_REGION || 'eu-de';
  const request = signingClient(env.SMN_ENDPOINT || (endpointOf('smn', region) ?? 'https://invalid'));

  return async (topic: string, subject: string, message: string): Promise<void> => {
    const end = timing.now().getTime() + TOTAL_MILLIS;
    const budget: Budget = { timeLeft: () => end - timing.now().getTime() };
    // A message that is too long would be refused; its beginning is better than nothing.
    const text = Buffer.from(message).subarray(0, MAX_MESSAGE_BYTES).toString();
    const publish = async (): Promise<void> => {
      const { status } = await request(
        {
          method: 'POST',
          path: `/v2/${env.OTC_SDK_PROJECT_ID}/notifications/topics/${topic}/publish`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ subject, message: text }),
        },
        await credentials(),
        timing.now(),
        { timeoutMillis: Math.max(1, Math.min(ATTEMPT_MILLIS, budget.timeLeft())) },
      );
      if (status < 300) return;
      const about = `The topic ${topic}: SMN answered ${status}.`;
      if ([400, 401, 403, 404].includes(status))
        throw new Failure('ConfigurationError', `${about} Does it exist, and may the agency publish to it?`);
      throw new Failure('PublishFailed', about, { retry: 'now' });
    };
    const attempted = await retry(publish, budget, timing);
    if ('answer' in attempted) return;
    const { refusal } = attempted;
    if (refusal.name === 'ConfigurationError') throw refusal;
    throw new Failure('PublishFailed', refusal.message, { cause: refusal });
  };
}
