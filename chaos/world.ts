/** One DDS, some hundred events, and all that becomes of them. */
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import type { RecordedRequest } from '../emulator/dds/request-log.ts';
import { backupService } from '../lib/lambda/backup-service.ts';
import { environment } from '../test/support/emulated.ts';
import { type Chance, chance } from './chance.ts';
import { type Conditions, conditions } from './conditions.ts';
import { type Answer, type Deliver, deliverer, LIMIT_MILLIS, WEBHOOK_SECRET } from './deliveries.ts';
import { kindOf, type PlannedEvent, plan } from './events.ts';
import { type Line, withLog } from './log.ts';
import { type Scheduler, scheduler } from './scheduler.ts';
import { withTimers } from './timers.ts';
import { weather } from './weather.ts';

export interface Call {
  readonly at: number;
  readonly request: RecordedRequest;
  /** What went wrong, as `weather` names it. */
  readonly fault: string | undefined;
}

export interface Delivery {
  readonly event: PlannedEvent;
  readonly startedAt: number;
  readonly statedAt: number;
  /** When the platform would have cut it off. */
  readonly endsBefore: number;
  endedAt?: number;
  answer?: Answer;
  /** When the last effect that DDS was late with came about. */
  stirredUntil: number;
  readonly calls: Call[];
  readonly lines: Line[];
}

/** What became of everything, once nothing moves any more. */
export interface History {
  readonly conditions: Conditions;
  readonly events: readonly PlannedEvent[];
  readonly deliveries: readonly Delivery[];
  readonly emulator: Pick<Emulator, 'state'>;
}

const BEGINNING = Date.parse('2026-03-01T12:00:00Z');

/** The same seeds and count make the same history. */
export async function runWorld(count: number, ...seed: readonly (string | number)[]): Promise<History> {
  const setting = conditions(chance('conditions', ...seed));
  const events = plan(count, setting, chance('events', ...seed));
  const time = scheduler<Delivery>(BEGINNING);
  const luck = chance('luck', ...seed);
  const ids = chance('ids', ...seed);

  await using emulator = await startEmulator({
    ...setting,
    clock: () => new Date(time.millis() + setting.skewMillis),
    random: ids.next,
    outcome: () => (luck.happens(setting.failing) ? 'FAILED' : 'COMPLETED'),
    wait: (millis) => time.answerLater(millis),
  });
  const service = backupService({
    env: { ...environment(emulator), WEBHOOK_SECRET },
    now: time.now,
    random: luck.next,
    wait: time.sleep,
  });
  const deliver = deliverer(service, luck);
  emulator.faults.decide = (request) => suffer(request, time, luck);

  const deliveries = begin(events, time, deliver);
  await withLog(
    (line) => time.running()?.lines.push(line),
    () => withTimers(time, time.run),
  );
  return { conditions: setting, events, deliveries, emulator };
}

/** The fault of a call, which is that of the delivery that runs now: no other can have made it. */
function suffer(request: RecordedRequest, time: Scheduler<Delivery>, luck: Chance) {
  const delivery = time.running();
  if (!delivery) throw new Error('A call that nobody made.');
  const { name, fault } = weather(request, delivery.event.roughness, luck);
  delivery.calls.push({ at: time.millis(), request, fault: name });
  if (fault?.kind === 'delay') delivery.stirredUntil = Math.max(delivery.stirredUntil, time.millis() + fault.millis);
  if (fault?.kind === 'hang' || fault?.kind === 'stall') time.neverAnswer();
  return fault;
}

/** Puts the deliveries of all events on the calendar; those of an event that follows another once that one is over. */
function begin(events: readonly PlannedEvent[], time: Scheduler<Delivery>, deliver: Deliver): readonly Delivery[] {
  const all: Delivery[] = [];
  const followers = Map.groupBy(events, ({ when }) => (typeof when === 'number' ? undefined : when.after));

  const happen = (event: PlannedEvent, at: number): void => {
    const own = deliveriesOf(event, at);
    all.push(...own);
    for (const delivery of own) {
      time.begin(delivery.startedAt, delivery, async () => {
        delivery.answer = await deliver(event, {
          now: time.now(),
          stated: new Date(delivery.statedAt),
          requestId: `request-${event.number}-${own.indexOf(delivery)}`,
          remainingMillis: () => delivery.endsBefore - time.millis(),
        });
        delivery.endedAt = time.millis();
        if (own.some(({ endedAt }) => endedAt === undefined)) return;
        const over = Math.max(time.millis(), ...own.map(({ stirredUntil }) => stirredUntil));
        for (const follower of followers.get(event.number) ?? [])
          if (typeof follower.when === 'object') happen(follower, over + follower.when.by);
      });
    }
  };
  for (const event of followers.get(undefined) ?? [])
    if (typeof event.when === 'number') happen(event, BEGINNING + event.when);
  return all;
}

function deliveriesOf(event: PlannedEvent, at: number): readonly Delivery[] {
  // EventBridge tells times to the second, and unless its sender makes one up delivers after them.
  const second = event.source === 'event-bus' ? 1000 : 1;
  const statedAt = Math.ceil((at + event.statedAfter) / second) * second;
  const from = event.statedAfter > 0 ? at : statedAt;
  return event.deliveredAfter.map((after) => {
    const startedAt = from + after;
    const endsBefore = startedAt + LIMIT_MILLIS[kindOf(event.source)];
    return { event, startedAt, statedAt, endsBefore, stirredUntil: 0, calls: [], lines: [] };
  });
}
