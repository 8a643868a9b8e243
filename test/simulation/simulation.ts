/** One simulation: one emulated DDS, some hundred events with all their deliveries, and a clock that costs no waiting. */
import { runDurableExecution } from '../../emulator/aws/durable-execution.ts';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import { Failure } from '../../lib/errors.ts';
import { lambdaContext } from '../support/lambda.ts';
import { startAws } from './aws.ts';
import { type Chance, chance } from './chance.ts';
import { type Conditions, conditions, paceOf, projectOf } from './conditions.ts';
import { gridOf, kindOf, type PlannedEvent, plan } from './events.ts';
import { injectedFault, injectedWhileSearching, type Others } from './faults.ts';
import { startFunctionGraph } from './functiongraph.ts';
import { changeByHand, keys, others } from './hands.ts';
import { type Delivery, type History, nameIn } from './history.ts';
import { ledger } from './ledger.ts';
import { withLog } from './log.ts';
import type { Surroundings } from './platform.ts';
import { scheduler } from './scheduler.ts';
import { withTimers } from './timers.ts';

/** Later than any clock shows: the SDK of durable executions holds times against the real one. */
export const BEGIN = Date.parse('2100-03-01T12:00:00Z');
const DEFERRED_LIMIT_MILLIS = 60_000;
/** How much less likely faults are after a minute of retries, which would otherwise make most of the calls. */
const FAULTS_LATER = 0.4;
const MINUTE = 60_000;

/** The same seeds and count give the same history. */
export async function simulate(count: number, ...seed: readonly (string | number)[]): Promise<History> {
  const setting = conditions(...seed);
  const events = plan(count, setting, chance('events', ...seed));
  const time = scheduler<Delivery | undefined>(BEGIN);
  const draw = chance('faults', ...seed);
  const ids = chance('ids', ...seed);
  const book = ledger(time.millis);
  const { backupMillis = 0 } = setting;

  const [first, ...further] = setting.projects;
  const openCalls = new Set<RecordedRequest>();
  await using emulator = await startEmulator({
    ...setting.emulator,
    backupMillis,
    projectId: first?.id ?? '',
    instances: first?.instances ?? [],
    projects: further,
    clock: time.now,
    random: ids.next,
    outcome: (backup) => {
      const outcome = draw.happens(setting.failureRate) ? 'FAILED' : 'COMPLETED';
      book.begin(backup, projectOf(setting, backup.instance_id), backupMillis, outcome);
      return outcome;
    },
    wait: (millis) => time.answerLater(millis),
    onRequest: (request) => {
      // The gateway refused it before a fault could be injected.
      if (!openCalls.delete(request))
        time.running()?.calls.push({
          at: time.millis(),
          request,
          row: undefined,
          fault: undefined,
          answeredAt: undefined,
        });
    },
  });
  const { control } = emulator;
  const world = {
    conditions: setting,
    control,
    ledger: book,
    now: time.millis,
    at: (at: number, act: () => void) => time.begin(at, undefined, async () => act()),
  };
  const horizon = paceOf(setting) * count;
  const hands = chance('hands', ...seed);
  const { secret } = keys(world, horizon, hands);
  const noise = others(world, hands);
  for (let done = 0; done < count * setting.handRate; done++)
    world.at(BEGIN + hands.between(0, 1.2 * horizon), () => changeByHand(world, hands));
  control.decideFaults((request) => {
    openCalls.add(request);
    const search = chance('search', ...seed, time.millis(), request.project ?? '', String(request.query.id));
    return inject(request, time, request.operation === 'list-instances' ? search : draw, noise, setting);
  });

  const publish: Surroundings['publish'] = async (events) => {
    if (draw.happens(0.1)) throw new Failure('PublishFailed', 'The event bus is not there.');
    time.running()?.published.push(...events);
  };
  const deliveries = schedule(events, { time, draw, setting, url: emulator.url, secret, publish });
  await withLog(
    (line) => time.running()?.lines.push(line),
    () => withTimers(time, time.run),
  );
  for (const { at, request, fault, answeredAt = at } of deliveries.flatMap(({ calls }) => calls))
    if (request.tookEffect)
      book.attribute(request, nameIn(request.body) ?? '', isDelayedEffect(fault) ? answeredAt : at);
  return { conditions: setting, events, deliveries, effects: book.effects };
}

/** The fault of a call. Only the delivery that runs now can have made the call. */
function inject(
  request: RecordedRequest,
  time: Surroundings['time'],
  draw: Chance,
  noise: Others,
  { emulator: { pageCap } }: Conditions,
): Fault | undefined {
  const delivery = time.running();
  if (!delivery) throw new Error('A call while no delivery runs.');
  const isLater = delivery.before !== undefined || time.millis() > delivery.startedAt + MINUTE;
  const faultRate = delivery.event.faultRate * (isLater ? FAULTS_LATER : 1);
  const { row, fault } =
    request.operation === 'list-instances'
      ? injectedWhileSearching(faultRate, draw)
      : injectedFault(request, faultRate, draw, noise, typeof pageCap === 'number' ? 60 : undefined);
  const answeredAt = fault?.kind === 'delay' ? time.millis() + fault.millis : undefined;
  delivery.calls.push({ at: time.millis(), request, row, fault, answeredAt });
  if (answeredAt !== undefined) delivery.effectsUntil = Math.max(delivery.effectsUntil, answeredAt);
  if (fault?.kind === 'hang' || fault?.kind === 'stall') time.neverAnswer();
  return fault;
}

const isDelayedEffect = (fault: Fault | undefined): boolean => fault?.kind === 'delay' && fault.when !== 'after';

/** Schedules the deliveries of all events. Those of an event that follows another are scheduled once that one has ended. */
function schedule(events: readonly PlannedEvent[], surroundings: Surroundings): readonly Delivery[] {
  const { time, draw, setting } = surroundings;
  const all: Delivery[] = [];
  const underWay = new Map<PlannedEvent, number>();
  const followers = Map.groupBy(events, ({ when }) => (typeof when === 'number' ? undefined : when.after));

  const queue = (payload: unknown): void => {
    const before = time.running();
    if (before) scheduleExecution(before, payload);
  };
  const start = () => (setting.platform === 'aws' ? startAws(surroundings, queue) : startFunctionGraph(surroundings));
  let functions = start();
  const warm = () => {
    if (draw.happens(setting.coldStartRate)) functions = start();
    return functions;
  };

  const begin = (delivery: Delivery, run: () => Promise<void>): void => {
    const { event } = delivery;
    all.push(delivery);
    underWay.set(event, (underWay.get(event) ?? 0) + 1);
    time.begin(delivery.startedAt, delivery, async () => {
      await run();
      delivery.endedAt = time.millis();
      const left = (underWay.get(event) ?? 0) - 1;
      underWay.set(event, left);
      if (left === 0) scheduleFollowers(event);
    });
  };

  function scheduleFollowers(event: PlannedEvent): void {
    const ended = all.filter((each) => each.event === event).map(({ effectsUntil }) => effectsUntil);
    for (const follower of followers.get(event.number) ?? [])
      if (typeof follower.when === 'object')
        scheduleEvent(follower, Math.max(time.millis(), ...ended) + follower.when.by);
  }

  function scheduleEvent(event: PlannedEvent, at: number): void {
    deliveriesOf(event, at, setting).forEach((delivery, index) => {
      begin(delivery, async () => {
        const moment = {
          now: time.now(),
          stated: new Date(delivery.statedAt),
          notAfter: delivery.notAfter === undefined ? undefined : new Date(delivery.notAfter),
          requestId: `request-${event.number}-${index}`,
          remainingMillis: () => delivery.endsBefore - time.millis(),
        };
        const { answer, record } = await warm().deliver(event, moment);
        delivery.answer = answer;
        if (record === undefined) return;
        scheduleExecution(delivery, record);
        if (draw.happens(0.1)) scheduleExecution(delivery, record);
      });
    });
  }

  function scheduleExecution(before: Delivery, payload: unknown): void {
    const { event, statedAt, notAfter } = before;
    const startedAt = time.millis() + draw.between(0, 5000);
    const execution: Delivery = {
      ...{ event, before, startedAt, statedAt, notAfter },
      ...{ endsBefore: Number.POSITIVE_INFINITY, waitsUntil: Number.POSITIVE_INFINITY },
      ...{ effectsUntil: 0, calls: [], lines: [], published: [] },
    };
    begin(execution, async () => {
      const { deferred } = warm();
      if (!deferred) throw new Error('Nothing goes on with the request on this platform.');
      execution.end = await runDurableExecution({
        handler: deferred,
        payload: JSON.parse(JSON.stringify(payload)),
        context: () => {
          const end = time.millis() + DEFERRED_LIMIT_MILLIS;
          return lambdaContext(() => end - time.millis(), `execution-${event.number}`);
        },
        now: time.now,
        wait: (millis) => time.sleep(millis),
      });
    });
  }

  for (const event of followers.get(undefined) ?? [])
    if (typeof event.when === 'number') scheduleEvent(event, BEGIN + event.when);
  return all;
}

function deliveriesOf(event: PlannedEvent, at: number, setting: Conditions): readonly Delivery[] {
  // A platform delivers after the time that it states, unless the sender states a time of its own.
  const grid = gridOf(event.source);
  const statedAt = Math.ceil((at + event.statedAfter) / grid) * grid;
  const from = event.statedAfter > 0 ? at : statedAt;
  const notAfter = event.notAfter === undefined ? undefined : Math.ceil(at + event.notAfter);
  return event.deliveredAfter.map((after) => {
    const startedAt = from + after;
    const { limitMillis, waitMillis } = limitsOf(event, setting);
    return {
      ...{ event, startedAt, statedAt, notAfter, endsBefore: startedAt + limitMillis },
      waitsUntil: waitMillis === undefined ? undefined : startedAt + waitMillis,
      ...{ effectsUntil: 0, calls: [], lines: [], published: [] },
    };
  });
}

/** How long the platform lets a function run, as in serverless.yml and in deployment/functiongraph. */
function limitsOf({ source }: PlannedEvent, { platform, maxWaitSeconds }: Conditions) {
  const isHttp = kindOf(source) === 'http';
  if (platform === 'aws') return { limitMillis: isHttp ? 29_000 : 60_000 };
  if (isHttp) return { limitMillis: 30_000 };
  return { limitMillis: (maxWaitSeconds + 600) * 1000, waitMillis: maxWaitSeconds * 1000 };
}
