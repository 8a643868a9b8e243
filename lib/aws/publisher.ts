/** Publishes on an EventBridge bus. */
import { Failure } from '../errors.ts';
import { fieldsOf, parseJson, textOf } from '../json.ts';
import type { Environment } from '../service/config.ts';
import { originOf } from '../service/log.ts';
import { type BusEvent, EVENT_SOURCE, type Publisher } from '../service/ports.ts';
import { SECOND } from '../time.ts';
import type { AwsApi } from './api.ts';

/** Callers keep ten seconds for publishing. */
const TOTAL_MILLIS = 8 * SECOND;
/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;
/** Of the time, the source and the type of an entry. */
const OVERHEAD_BYTES = 128;
/** Characters. DDS bounds the length of no name that it lists; the text of a report is long. */
const MAX_TEXT = 16 * 1024;

interface Entry {
  readonly event: BusEvent;
  readonly json: object;
  readonly bytes: number;
}

/** How one call ended. */
interface Sent {
  /** The entries that the bus did not take. */
  readonly refused: readonly string[];
  /** Of the whole call. */
  readonly failure?: Failure;
}

/**
 * Publishes on the bus that the variable `EVENT_BUS` names. What the bus refuses does not hold back the rest.
 * @throws Failure `ConfigurationError` when there is no such variable or permission. A bus that does not exist takes
 * every event: https://github.com/aws/aws-sdk/issues/186
 */
export function eventBusPublisher(env: Environment, call: AwsApi): Publisher {
  return async (events) => {
    const { EVENT_BUS: bus } = env;
    if (!bus) throw new Failure('ConfigurationError', 'Configuration: EVENT_BUS is missing.');
    const entries = events.map((event) => entryOf(event, bus, originOf(env)));
    // All at once, so that no call waits for another and all end within the time of one.
    const sent = await Promise.all(batches(entries).map((batch) => putEvents(batch, bus)));
    const failures = sent.flatMap(({ failure }) => failure ?? []);
    const [cause] = failures;
    if (cause && failures.length === sent.length) throw cause;
    const refused = sent.flatMap((batch) => batch.refused);
    if (refused.length > 0)
      throw new Failure(
        'PublishFailed',
        `The event bus ${bus} refused ${refused.length} of ${events.length} events: ${refused.join(', ')}.`,
        cause && { cause },
      );
  };

  async function putEvents(batch: readonly Entry[], bus: string): Promise<Sent> {
    try {
      const { text } = await call({
        service: 'events',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
        body: JSON.stringify({ Entries: batch.map(({ json }) => json) }),
        totalMillis: TOTAL_MILLIS,
        about: `The event bus ${bus}`,
        reason: 'PublishFailed',
      });
      return { refused: refusals(batch, text) };
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      return { refused: batch.map(({ event }) => refusal(event, failure.name)), failure };
    }
  }
}

function entryOf(event: BusEvent, bus: string, origin: object): Entry {
  const Detail = JSON.stringify({ ...origin, ...event.detail }, (_, value: unknown) =>
    typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value,
  );
  return {
    event,
    json: {
      EventBusName: bus,
      Source: EVENT_SOURCE,
      DetailType: event.type,
      Time: event.time.getTime() / SECOND,
      Detail,
    },
    bytes: Buffer.byteLength(Detail) + OVERHEAD_BYTES,
  };
}

/** As few calls as the limits of one call allow. */
function batches(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const all: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const batch = all.at(-1);
    bytes += entry.bytes;
    if (batch && batch.length < MAX_ENTRIES && bytes <= MAX_BYTES) batch.push(entry);
    else {
      all.push([entry]);
      ({ bytes } = entry);
    }
  }
  return all;
}

/** What the bus says of each entry that it did not take, in the order of the entries. */
function refusals(batch: readonly Entry[], text: string): readonly string[] {
  const { Entries } = fieldsOf(parseJson(text));
  const results: readonly unknown[] = Array.isArray(Entries) ? Entries : [];
  return batch.flatMap(({ event }, index) => {
    const { EventId, ErrorCode } = fieldsOf(results[index]);
    return typeof EventId === 'string' ? [] : [refusal(event, (textOf(ErrorCode) || 'no answer').slice(0, 64))];
  });
}

const refusal = ({ type, detail }: BusEvent, why: string): string => `${type} ${detail.id} (${why})`;
