/** One simulation: one emulated DDS, some hundred events with all their deliveries, and a clock that costs no waiting. */
import { type DurableExecutionEnd, runDurableExecution } from '../../emulator/aws/durable-execution.ts';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import type { Fault } from '../../emulator/dds/faults.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import { deferredHandler } from '../../functions/deferred.ts';
import type { AwsApi } from '../../lib/aws/api.ts';
import { lambdaHandover } from '../../lib/aws/handover.ts';
import { awsService } from '../../lib/aws/platform.ts';
import { Failure } from '../../lib/errors.ts';
import type { BusEvent } from '../../lib/service/ports.ts';
import { lambdaContext } from '../support/lambda.ts';
import { type Chance, chance } from './chance.ts';
import { type Conditions, conditions, paceOf, projectOf } from './conditions.ts';
import { type Answer, deliverer, LIMIT_MILLIS, recordOf, WEBHOOK_SECRET } from './deliveries.ts';
import { kindOf, type PlannedEvent, plan } from './events.ts';
import { type Injected, injectedFault, injectedWhileSearching, type Others } from './faults.ts';
import { changeByHand, keys, others } from './hands.ts';
import { type Effect, ledger } from './ledger.ts';
import { type Line, withLog } from './log.ts';
import { type Scheduler, scheduler } from './scheduler.ts';
import { withTimers } from './timers.ts';

export interface Call {
  readonly at: number;
  readonly request: RecordedRequest;
  /** Undefined where nothing went wrong. */
  readonly row: Injected['row'];
  readonly fault: Fault | undefined;
  /** When the answer is sent, where it is held back. */
  readonly answeredAt: number | undefined;
}

/** A delivery of an event to its function, or the execution of `deferred` that goes on with it. */
export interface Delivery {
  readonly event: PlannedEvent;
  /** The delivery whose failure the execution goes on from. */
  readonly before?: Delivery;
  readonly startedAt: number;
  readonly statedAt: number;
  /** After this nothing may be submitted. */
  readonly notAfter: number | undefined;
  /** When the platform would have ended it. */
  readonly endsBefore: number;
  endedAt?: number;
  answer?: Answer;
  /** Of an execution. */
  end?: DurableExecutionEnd;
  /** When the last late effect of its calls came about. */
  effectsUntil: number;
  readonly calls: Call[];
  readonly lines: Line[];
  readonly published: BusEvent[];
  /** Whether the request could be queued for `deferred`, as far as `http` learned. */
  handover?: 'queued' | 'unknown';
}

/** All deliveries, and what became of every backup. */
export interface History {
  readonly conditions: Conditions;
  readonly events: readonly PlannedEvent[];
  readonly deliveries: readonly Delivery[];
  readonly effects: readonly Effect[];
}

/** Later than any clock shows: the SDK of durable executions holds times against the real one. */
export const BEGIN = Date.parse('2100-03-01T12:00:00Z');
const DEFERRED_LIMIT_MILLIS = 60_000;
const DEFERRED_RESERVE_MILLIS = 10_000;
/** How much less likely faults are in an execution, which would otherwise make most of the calls. */
const EXECUTION_FAULTS = 0.4;

/** What runs now; undefined for what is done by hand. */
type Time = Scheduler<Delivery | undefined>;

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

  const platform = { time, draw, setting, url: emulator.url, secret };
  const deliveries = schedule(events, platform);
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
  time: Time,
  draw: Chance,
  noise: Others,
  { emulator: { pageCap } }: Conditions,
): Fault | undefined {
  const delivery = time.running();
  if (!delivery) throw new Error('A call while no delivery runs.');
  const faultRate = delivery.event.faultRate * (delivery.before ? EXECUTION_FAULTS : 1);
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

interface Platform {
  readonly time: Time;
  readonly draw: Chance;
  readonly setting: Conditions;
  readonly url: string;
  readonly secret: () => Promise<string>;
}

/** A copy of every function, as a cold start makes it. */
function start({ time, draw, setting, url, secret }: Platform, queue: (payload: unknown) => void) {
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
  const call: AwsApi = async ({ body, reason }) => {
    const payload = JSON.parse(body);
    const delivery = time.running();
    const how = draw.weighted([
      [7, { copies: 1, isKnown: true }],
      [1, { copies: 2, isKnown: true }],
      [1, { copies: 1, isKnown: false }],
      [1, { copies: 0, isKnown: false }],
    ]);
    for (let copy = 0; copy < how.copies; copy++) queue(payload);
    if (delivery) delivery.handover = how.isKnown ? 'queued' : 'unknown';
    if (!how.isKnown) throw new Failure(reason, 'The function deferred: not answered.');
    return { status: 202, headers: {}, text: '' };
  };
  const common = {
    env,
    timing: { now: time.now, wait: time.sleep, random: draw.next },
    readSecret: secret,
    handover: lambdaHandover(env, call),
    publish: async (events: readonly BusEvent[]) => {
      if (draw.happens(0.1)) throw new Failure('PublishFailed', 'The event bus is not there.');
      time.running()?.published.push(...events);
    },
    notify: async () => {},
  };
  return {
    deliver: deliverer(awsService(common), draw),
    deferred: deferredHandler(awsService({ ...common, reserveMillis: DEFERRED_RESERVE_MILLIS })),
  };
}

/** Schedules the deliveries of all events. Those of an event that follows another are scheduled once that one has ended. */
function schedule(events: readonly PlannedEvent[], platform: Platform): readonly Delivery[] {
  const { time, draw, setting } = platform;
  const all: Delivery[] = [];
  const underWay = new Map<PlannedEvent, number>();
  const followers = Map.groupBy(events, ({ when }) => (typeof when === 'number' ? undefined : when.after));

  const queue = (payload: unknown): void => {
    const before = time.running();
    if (before) scheduleExecution(before, payload);
  };
  let functions = start(platform, queue);
  const warm = () => {
    if (draw.happens(setting.coldStartRate)) functions = start(platform, queue);
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
    deliveriesOf(event, at).forEach((delivery, index) => {
      begin(delivery, async () => {
        const moment = {
          now: time.now(),
          stated: new Date(delivery.statedAt),
          notAfter: delivery.notAfter === undefined ? undefined : new Date(delivery.notAfter),
          requestId: `request-${event.number}-${index}`,
          remainingMillis: () => delivery.endsBefore - time.millis(),
        };
        const delivered = await warm().deliver(event, moment);
        delivery.answer = delivered.answer;
        const record = recordOf(event, delivered, moment, time.now());
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
      ...{ event, before, startedAt, statedAt, notAfter, endsBefore: Number.POSITIVE_INFINITY, effectsUntil: 0 },
      ...{ calls: [], lines: [], published: [] },
    };
    begin(execution, async () => {
      const { deferred } = warm();
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

function deliveriesOf(event: PlannedEvent, at: number): readonly Delivery[] {
  // EventBridge states times to the second, and delivers after them, unless the sender states a time of its own.
  const second = event.source === 'event-bus' ? 1000 : 1;
  const statedAt = Math.ceil((at + event.statedAfter) / second) * second;
  const from = event.statedAfter > 0 ? at : statedAt;
  const notAfter = event.notAfter === undefined ? undefined : Math.ceil(at + event.notAfter);
  return event.deliveredAfter.map((after) => {
    const startedAt = from + after;
    const endsBefore = startedAt + LIMIT_MILLIS[kindOf(event.source)];
    return { event, startedAt, statedAt, notAfter, endsBefore, effectsUntil: 0, calls: [], lines: [], published: [] };
  });
}

export function nameIn(body: unknown): string | undefined {
  const { backup } = Object(body);
  const { name } = Object(backup);
  return typeof name === 'string' ? name : undefined;
}
