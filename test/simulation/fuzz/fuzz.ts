/** Arbitrary events for the functions as they are deployed. */
import fc from 'fast-check';
import { type Emulator, startEmulator } from '../../../emulator/dds/emulator.ts';
import { DEMO_TEMPORARY_CREDENTIALS } from '../../../emulator/dds/seed.ts';
import { startBundle } from '../../support/bundles.ts';
import { environment } from '../../support/emulated.ts';
import { contextWith } from '../../support/functiongraph.ts';
import { loadBundle } from '../../support/functiongraph-bundles.ts';
import { lambdaContext } from '../../support/lambda.ts';
import { answered, returned, settled, WEBHOOK_SECRET } from '../deliveries.ts';
import { endingOf, TRAILER } from '../ending.ts';
import type { Answer } from '../history.ts';
import { type Line, withLog } from '../log.ts';
import { EVENTS, type Target } from './events.ts';
import { problemOf } from './rules.ts';

export interface FuzzOptions {
  /** Events for each of the targets; each is delivered twice. */
  readonly cases: number;
  readonly seed: number;
}

/** How often the deliveries ended in each way, by target and reason. */
export type FuzzFigures = Readonly<Record<string, number>>;

const MAX_CASE_MILLIS = 10_000;
/** Then with a new emulator, which searches all its backups for a name. */
const CASES_PER_EMULATOR = 500;
const LOG_EVENTS = ['request.accepted', 'request.replayed', 'request.rejected', 'request.failed'];

/**
 * Rejects with the smallest event that fast-check finds for what is wrong, and with the seed and path to it. The bundles
 * run on the real clock, and the times in the events are near it: a replay has the same events at another time.
 */
export async function fuzz({ cases, seed }: FuzzOptions): Promise<FuzzFigures> {
  const figures: Record<string, number> = {};
  for (let done = 0; done < cases; done += CASES_PER_EMULATOR) {
    await using emulator = await startEmulator({ backupMillis: 0 });
    for (const target of TARGETS) {
      const deliver = await start(target, emulator);
      const property = fc.asyncProperty(EVENTS[target], async (event) => {
        for (const _ of ['first', 'again']) {
          const ending = await examine(event, target, deliver, emulator);
          const key = `${target}: ${ending}`;
          figures[key] = (figures[key] ?? 0) + 1;
        }
      });
      const numRuns = Math.min(CASES_PER_EMULATOR, cases - done);
      await fc.assert(property, { numRuns, seed: (seed + done) | 0, timeout: MAX_CASE_MILLIS });
    }
  }
  return figures;
}

const TARGETS: readonly Target[] = [
  ...(['http', 'strangers', 'event-bus', 'invoke'] as const),
  ...(['functiongraph http', 'functiongraph event'] as const),
];

type Deliver = (event: unknown) => Promise<Answer>;

async function start(target: Target, emulator: Emulator): Promise<Deliver> {
  if (target === 'functiongraph http' || target === 'functiongraph event') {
    const handler = loadBundle(target === 'functiongraph http' ? 'http' : 'event');
    const userData = { DDS_ENDPOINT: emulator.url, HTTP_AUTH: 'gateway', MAX_WAIT_SECONDS: '0' };
    const context = () => contextWith({ userData, keys: DEMO_TEMPORARY_CREDENTIALS });
    const read = target === 'functiongraph http' ? answered : returned;
    return (event) => settled(handler(event, context()).then(read));
  }
  const env = { ...environment(emulator), WEBHOOK_SECRET };
  if (target === 'event-bus' || target === 'invoke') {
    const handler = await startBundle(target, env);
    return (event) => settled(handler(event, lambdaContext()).then(returned));
  }
  const handler = await startBundle('http', target === 'http' ? { ...env, HTTP_AUTH: 'none' } : env);
  return (event) => settled(handler(event, lambdaContext()).then(answered));
}

/** Throws unless the delivery ends as documented, leaves one log line for each request, and sends DDS nothing but what the reference allows. */
async function examine(event: unknown, target: Target, deliver: Deliver, emulator: Emulator): Promise<string> {
  const before = emulator.requests.length;
  const lines: Line[] = [];
  const answer = await withLog(
    // There is no topic to publish failures to.
    (line) => line.event !== 'publish.failed' && lines.push(line),
    () => deliver(event),
  );
  const ending = endingOf(answer);
  if (ending.kind === 'undocumented') throw new Error(ending.what);
  if (answer.kind === 'thrown' && target !== 'functiongraph event' && !TRAILER.test(String(answer.error)))
    throw new Error(`threw ${answer.error}`);
  // DDS tells times to the second, which may leave open whose the backup is when an event is delivered again.
  const isUndecided = lines[0]?.reason === 'OutcomeUnknown' && lines[0].backup !== undefined;
  if (ending.kind === 'failure' && !isUndecided && !EXPECTED.includes(ending.reason)) throw new Error(ending.reason);
  if (lines.length !== requestsIn(event, target) || lines.some((line) => !LOG_EVENTS.includes(String(line.event))))
    throw new Error(`logged ${JSON.stringify(lines)}`);

  const requests = emulator.requests.slice(before);
  for (const { operation, body, errorCode } of requests) {
    const problem = operation === 'create-backup' ? problemOf(body) : undefined;
    if (problem !== undefined) throw new Error(`DDS was asked for ${JSON.stringify(body)}: ${problem}`);
    if (errorCode !== undefined && !ABOUT_STATE.includes(errorCode)) throw new Error(`DDS answered ${errorCode}`);
  }
  if (target === 'strangers' && requests.length > 0) throw new Error('an unauthenticated request reached DDS');
  if (Object.keys(Object.prototype).length > 0) throw new Error('the prototype of all objects was polluted');
  return ending.kind === 'failure' ? ending.reason : ending.kind;
}

/** SMN may bring several. */
function requestsIn(event: unknown, target: Target): number {
  const { record } = Object(event);
  return target === 'functiongraph event' && Array.isArray(record) ? Math.max(1, record.length) : 1;
}

/** The reasons that an event and the state of DDS may be the cause of. */
const EXPECTED: readonly string[] = [
  'InvalidRequest',
  'Unauthorized',
  'BackupNameTaken',
  'InstanceNotFound',
  'InstanceBusy',
  'DdsRejected',
  'DeadlinePassed',
];

/** What DDS may say of a request that is well-formed: no such instance, faulty instance, name taken. */
const ABOUT_STATE: readonly string[] = ['DBS.200002', 'DBS.200018', 'DBS.201201'];
