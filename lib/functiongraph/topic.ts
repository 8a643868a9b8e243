/** Publishes events and texts to topics of Simple Message Notification (SMN). */
import { type Budget, retry } from '../dds/retry.ts';
import { Failure } from '../errors.ts';
import { endpointOf } from '../otc/endpoints.ts';
import type { Credentials } from '../otc/signer.ts';
import { type SigningClient, signingClient } from '../otc/signing-client.ts';
import type { Environment } from '../service/config.ts';
import { originOf } from '../service/log.ts';
import { type BusEvent, EVENT_SOURCE, type Notifier, type Publisher } from '../service/ports.ts';
import { SECOND, type Timing } from '../time.ts';

const ATTEMPT_MILLIS = 3 * SECOND;
const TOTAL_MILLIS = 8 * SECOND;
/** Characters. SMN API reference, "Publishing a Message". */
const MAX_SUBJECT = 512;
const MAX_MESSAGE_BYTES = 256 * 1024;
/** A character that was cut in half becomes one of three bytes. */
const REPLACEMENT_BYTES = 3;
/** Region, project and name. */
const TOPIC_URN = /^urn:smn:([\w-]+):(\w+):[\w-]+$/;

type ReadCredentials = () => Promise<Credentials>;

/** What people want to hear of at once. Cloud Eye reads no log, so that no metric can raise these alarms. */
const ALARMING: ReadonlySet<BusEvent['type']> = new Set([
  'DDS Backup Request Failed',
  'DDS Backup Failed',
  'DDS Backup Stuck',
  'DDS Backup Overdue',
]);

/**
 * Each event is a message: JSON in the shape of an EventBridge event, under a subject that a person can read. Some go to
 * the alarm topic too, where there is one.
 */
export function topicPublisher(env: Environment, credentials: ReadCredentials, timing: Timing): Publisher {
  const send = sender(env, credentials, timing);
  return async (events) => {
    const { EVENT_TOPIC_URN: topic, ALARM_TOPIC_URN: alarms } = env;
    if (!topic) throw new Failure('ConfigurationError', 'Configuration: EVENT_TOPIC_URN is missing.');
    const topicsOf = ({ type }: BusEvent) => (alarms && ALARMING.has(type) ? [topic, alarms] : [topic]);
    const messages = events.flatMap((event) => topicsOf(event).map((to) => ({ to, event })));
    const results = await Promise.allSettled(
      messages.map(({ to, event }) => send(to, subjectOf(event), messageOf(event, env))),
    );
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length === 0) return;
    const [cause] = failures;
    if (!(cause instanceof Failure) || cause.name === 'ConfigurationError') throw cause;
    throw new Failure('PublishFailed', `${failures.length} of ${messages.length} messages: ${cause.message}`, {
      cause,
    });
  };
}

/** To the topic that the variable `ALARM_TOPIC_URN` names; to nowhere without one. */
export function topicNotifier(env: Environment, credentials: ReadCredentials, timing: Timing): Notifier {
  const send = sender(env, credentials, timing);
  return async (subject, text) => {
    if (env.ALARM_TOPIC_URN) await send(env.ALARM_TOPIC_URN, subject, text);
  };
}

/** What happened, to which instance, under which name: `DDS Backup Completed: orders: nightly-…` */
const subjectOf = ({ type, detail }: BusEvent): string =>
  [type, detail.instance_name ?? detail.instance_id, detail.name].filter(Boolean).join(': ');

const messageOf = ({ type, time, detail }: BusEvent, env: Environment): string =>
  JSON.stringify({
    source: EVENT_SOURCE,
    'detail-type': type,
    time: time.toISOString(),
    detail: { ...originOf(env), ...detail },
  });

type Send = (topic: string, subject: string, message: string) => Promise<void>;

/** Sends one message. Throws Failure `PublishFailed` or `ConfigurationError`. */
function sender(env: Environment, credentials: ReadCredentials, timing: Timing): Send {
  // Connections are kept for the next message.
  const clients = new Map<string, SigningClient>();

  return async (topic, subject, message) => {
    const { endpoint, path } = addressOf(topic, env);
    const client = clients.get(endpoint) ?? signingClient(endpoint);
    clients.set(endpoint, client);
    const end = timing.now().getTime() + TOTAL_MILLIS;
    const budget: Budget = { timeLeft: () => end - timing.now().getTime() };
    const body = JSON.stringify({ subject: oneLine(subject), message: shortened(message) });

    const publish = async (): Promise<void> => {
      const timeoutMillis = Math.max(1, Math.min(ATTEMPT_MILLIS, budget.timeLeft()));
      const request = { method: 'POST', path, headers: { 'content-type': 'application/json' }, body } as const;
      const { status } = await client(request, await credentials(), timing.now(), { timeoutMillis });
      if (status >= 300) throw refusal(topic, status);
    };
    const attempted = await retry(publish, budget, timing);
    if ('answer' in attempted) return;
    if (attempted.refusal.name === 'ConfigurationError') throw attempted.refusal;
    throw new Failure('PublishFailed', attempted.refusal.message, { cause: attempted.refusal });
  };
}

/** The URN says where the topic is. */
function addressOf(topic: string, env: Environment): { readonly endpoint: string; readonly path: string } {
  const [, region = '', projectId] = TOPIC_URN.exec(topic) ?? [];
  const endpoint = env.SMN_ENDPOINT || endpointOf('smn', region);
  if (projectId !== undefined && endpoint !== undefined)
    return { endpoint, path: `/v2/${projectId}/notifications/topics/${topic}/publish` };
  throw new Failure('ConfigurationError', 'Configuration: the URN of a topic is urn:smn:region:project_id:name.');
}

function refusal(topic: string, status: number): Failure {
  const about = `The topic ${topic}: SMN answered ${status}.`;
  return [400, 401, 403, 404].includes(status)
    ? new Failure('ConfigurationError', `${about} Does it exist, and may the agency publish to it?`)
    : new Failure('PublishFailed', about, { retry: 'now' });
}

const oneLine = (subject: string): string => subject.replace(/\s+/g, ' ').slice(0, MAX_SUBJECT);

/** A message that is too long would be refused; its beginning is better than nothing. */
function shortened(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  return bytes.subarray(0, MAX_MESSAGE_BYTES - REPLACEMENT_BYTES).toString();
}
