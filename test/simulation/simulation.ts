/** One simulation: one emulated DDS, some hundred events with all their deliveries, and a clock that costs no waiting. */
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import { awsService } from '../../lib/aws/platform.ts';
import { environment } from '../support/emulated.ts';
import { type Chance, chance } from './chance.ts';
import { type Conditions, conditions } from './conditions.ts';
import { type Answer, type Deliver, deliverer, LIMIT_MILLIS, WEBHOOK_SECRET } from './deliveries.ts';
import { kindOf, type PlannedEvent, plan } from './events.ts';
import { type FaultRow, injectedFault } from './faults.ts';
import { type Line, withLog } from './log.ts';
import { type Scheduler, scheduler } from './scheduler.ts';
import { withTimers } from './timers.ts';

export interface Call {
  readonly at: number;
  readonly request: RecordedRequest;
  /** Undefined where nothing went wrong. */
  readonly row: FaultRow | undefined;
  /** When the answer is sent, where it is held back. */
  readonly answeredAt: number | undefined;
}

export interface Delivery {
  readonly event: PlannedEvent;
  readonly startedAt: number;
  readonly statedAt: number;
  /** After this nothing may be submitted. */
  readonly notAfter: number | undefined;
  /** When the platform would have ended it. */
  readonly endsBefore: number;
  endedAt?: number;
  answer?: Answer;
  /** When the last late effect of its calls came about. */
  effectsUntil: number;
  readonly calls: Call[];
  readonly lines: Line[];
}

/** All deliveries and the state of DDS after the last of them. */
export interface History {
  readonly conditions: Conditions;
  readonly events: readonly PlannedEvent[];
  readonly deliveries: readonly Delivery[];
  readonly emulator: Pick<Emulator, 'state'>;
}

const BEGIN = Date.parse('2026-03-01T12:00:00Z');

/** The same seeds and count give the same history. */
export async function simulate(count: number, ...seed: readonly (string | number)[]): Promise<History> {
  const setting = conditions(...seed);
  const events = plan(count, setting, chance('events', ...seed));
  const time = scheduler<Delivery>(BEGIN);
  const draw = chance('faults', ...seed);
  const ids = chance('ids', ...seed);

  await using emulator = await startEmulator({
    ...setting.emulator,
    instances: setting.instances,
    backupMillis: setting.backupMillis,
    clock: () => new Date(time.millis() + setting.skewMillis),
    random: ids.next,
    outcome: () => (draw.happens(setting.failureRate) ? 'FAILED' : 'COMPLETED'),
    wait: (millis) => time.answerLater(millis),
  });
  const service = awsService({
    env: { ...environment(emulator), WEBHOOK_SECRET },
    timing: { now: time.now, wait: time.sleep, random: draw.next },
  });
  const deliver = deliverer(service, draw);
  emulator.faults.decide = (request) => inject(request, time, draw);

  const deliveries = schedule(events, time, deliver);
  await withLog(
    (line) => time.running()?.lines.push(line),
    () => withTimers(time, time.run),
  );
  return { conditions: setting, events, deliveries, emulator };
}

/** The fault of a call. Only the delivery that runs now can have made the call. */
function inject(request: RecordedRequest, time: Scheduler<Delivery>, draw: Chance): Fault | undefined {
  const delivery = time.running();
  if (!delivery) throw new Error('A call while no delivery runs.');
  const { row, fault } = injectedFault(request, delivery.event.faultRate, draw);
  const answeredAt = fault?.kind === 'delay' ? time.millis() + fault.millis : undefined;
  delivery.calls.push({ at: time.millis(), request, row, answeredAt });
  if (answeredAt !== undefined) delivery.effectsUntil = Math.max(delivery.effectsUntil, answeredAt);
  if (fault?.kind === 'hang' || fault?.kind === 'stall') time.neverAnswer();
  return fault;
}

/** Schedules the deliveries of all events. Those of an event that follows another are scheduled once that one has ended. */
function schedule(events: readonly PlannedEvent[], time: Scheduler<Delivery>, deliver: Deliver): readonly Delivery[] {
  const all: Delivery[] = [];
  const followers = Map.groupBy(events, ({ when }) => (typeof when === 'number' ? undefined : when.after));

  const scheduleEvent = (event: PlannedEvent, at: number): void => {
    const own = deliveriesOf(event, at);
    all.push(...own);
    for (const delivery of own) {
      time.begin(delivery.startedAt, delivery, async () => {
        delivery.answer = await deliver(event, {
          now: time.now(),
          stated: new Date(delivery.statedAt),
          notAfter: delivery.notAfter === undefined ? undefined : new Date(delivery.notAfter),
          requestId: `request-${event.number}-${own.indexOf(delivery)}`,
          remainingMillis: () => delivery.endsBefore - time.millis(),
        });
        delivery.endedAt = time.millis();
        if (own.some(({ endedAt }) => endedAt === undefined)) return;
        const end = Math.max(time.millis(), ...own.map(({ effectsUntil }) => effectsUntil));
        for (const follower of followers.get(event.number) ?? [])
          if (typeof follower.when === 'object') scheduleEvent(follower, end + follower.when.by);
      });
    }
  };
  for (const event of followers.get(undefined) ?? [])
    if (typeof event.when === 'number') scheduleEvent(event, BEGIN + event.when);
  return all;
}

function deliveriesOf(event: PlannedEvent, at: number): readonly Delivery[] {
  // EventBridge states times to the second, and delivers after them, unless the sender states a time of its own.
  const second = event.source === 'event-bus' ? 1000 : 1;
  const statedAt = Math.ceil((at + event.statedAfter) / second) * second;
  const from = event.statedAfter > 0 ? at : statedAt;
  const notAfter = event.notAfter === undefined ? undefined : Math.ceil(at + event.notAfter);
  return event.deliveredAfter.map((after) => {
    const startedAt = from + after;
    const endsBefore = startedAt + LIMIT_MILLIS[kindOf(event.source)];
    return { event, startedAt, statedAt, notAfter, endsBefore, effectsUntil: 0, calls: [], lines: [] };
  });
}
