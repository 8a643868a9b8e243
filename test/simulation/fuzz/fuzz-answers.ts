/** Arbitrary answers of DDS for the functions, in virtual time. */
import fc from 'fast-check';
import { type Emulator, startEmulator } from '../../../emulator/dds/emulator.ts';
import type { RecordedRequest } from '../../../emulator/dds/request-log.ts';
import { DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../../emulator/dds/seed.ts';
import { eventBusHandler } from '../../../functions/event-bus.ts';
import { httpHandler } from '../../../functions/http.ts';
import { invokeHandler } from '../../../functions/invoke.ts';
import { monitorHandler } from '../../../functions/monitor.ts';
import { awsService } from '../../../lib/aws/platform.ts';
import { isReason } from '../../../lib/errors.ts';
import { call, lambdaContext } from '../../support/lambda.ts';
import { virtualTime } from '../../support/virtual-time.ts';
import { visible } from '../../support/visible.ts';
import { answered, returned, settled } from '../deliveries.ts';
import { type Ending, endingOf } from '../ending.ts';
import type { Answer } from '../history.ts';
import { type Line, withLog } from '../log.ts';
import { ANSWER_CASES, type AnswerCase, type Asked, FUZZED_KEY, type FuzzedAnswer, faultOf } from './answers.ts';
import type { FuzzFigures, FuzzOptions } from './fuzz.ts';

const MAX_CASE_MILLIS = 20_000;
const INVOCATION_MILLIS = 8000;
/** A listing that makes no progress, or one that never ends, must be given up long before. */
const MAX_REQUESTS = 3000;
const CASES_PER_EMULATOR = 500;

/** Rejects with the smallest answers that fast-check finds for what is wrong, and with the seed and path to it. */
export async function fuzzAnswers({ cases, seed }: FuzzOptions): Promise<FuzzFigures> {
  const figures: Record<string, number> = {};
  for (let done = 0; done < cases; done += CASES_PER_EMULATOR) {
    await using world = await startWorld();
    const property = fc.asyncProperty(ANSWER_CASES, async (given) => {
      const ending = await world.examine(given);
      const key = `${given.asked}: ${ending}`;
      figures[key] = (figures[key] ?? 0) + 1;
    });
    const numRuns = Math.min(CASES_PER_EMULATOR, cases - done);
    await fc.assert(property, { numRuns, seed: (seed + done) | 0, timeout: MAX_CASE_MILLIS });
  }
  return figures;
}

async function startWorld() {
  const time = virtualTime();
  const emulator = await startEmulator({ clock: time.now, backupMillis: 0, credentials: [FUZZED_KEY] });
  let count = 0;

  /** Throws for whatever must not be. */
  async function examine({ asked, isGiven, answers, isEndless }: AnswerCase): Promise<string> {
    const name = `fuzzed-${++count}`;
    const before = emulator.control.requests().length;
    let given = 0;
    emulator.control.decideFaults(() => {
      const index = isEndless ? Math.min(given++, answers.length - 1) : given++;
      const answer = answers[index];
      return answer && faultOf(answer, name);
    });

    const lines: Line[] = [];
    const { answer, published } = await withLog(
      (line) => lines.push(line),
      () => deliver(emulator, time, asked, isGiven ? { name } : { name_prefix: name }),
    );

    const requests = emulator.control.requests().slice(before);
    if (requests.length > MAX_REQUESTS) throw new Error(`${requests.length} requests`);
    const seen = visible([lines, answer, published]);
    for (const secret of Object.values(FUZZED_KEY))
      for (const form of [secret, JSON.stringify(secret).slice(1, -1)])
        if (seen.includes(form)) throw new Error(`${form} came out: ${seen.slice(0, 2000)}`);
    if (Object.keys(Object.prototype).length > 0) throw new Error('the prototype of all objects was polluted');
    if (asked === 'http' || asked === 'event-bus' || asked === 'invoke')
      return checkEnding(endingOf(answer, 'any'), lines, () => ids(emulator, requests, answers, name));
    return checkQuestion(asked, answer);
  }

  return { examine, [Symbol.asyncDispose]: () => emulator.close() };
}

async function deliver(
  emulator: Emulator,
  time: ReturnType<typeof virtualTime>,
  asked: Asked,
  named: object,
): Promise<{ answer: Answer; published: unknown }> {
  const published: unknown[] = [];
  const service = awsService({
    env: {
      DDS_ENDPOINT: emulator.url,
      OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
      OTC_SDK_AK: FUZZED_KEY.ak,
      OTC_SDK_SK: FUZZED_KEY.sk,
      OTC_SDK_SECURITY_TOKEN: FUZZED_KEY.securityToken,
      EVENT_BUS: 'default',
    },
    timing: { now: time.now, wait: time.wait, random: () => 0.7 },
    publish: async (events) => void published.push(...events),
    notify: async (...texts) => void published.push(texts),
  });
  const end = time.now().getTime() + INVOCATION_MILLIS;
  const context = lambdaContext(() => end - time.now().getTime());
  const backup = { instance_id: DEMO_INSTANCE.id, ...named };
  const requestContext = { requestId: 'r', authorizer: { iam: { userArn: 'arn:aws:iam::123456789012:user/ci' } } };
  const post = {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ backup }),
    requestContext: { ...requestContext, timeEpoch: time.now().getTime() },
  };
  const get = { ...requestContext, http: { method: 'GET' } };
  const http = (event: unknown) => settled(call(httpHandler(service), event, context).then(answered));
  const run: Readonly<Record<Asked, () => Promise<Answer>>> = {
    http: () => http(post),
    read: () => http({ rawPath: '/backups/a-backup', requestContext: get }),
    list: () =>
      http({
        rawPath: '/backups',
        queryStringParameters: { instance_id: DEMO_INSTANCE.id },
        requestContext: get,
      }),
    'event-bus': () => {
      const event = { id: 'e', time: time.now().toISOString(), detail: { backup } };
      return settled(call(eventBusHandler(service), event, context).then(returned));
    },
    invoke: () => settled(call(invokeHandler(service), { backup }, context).then(returned)),
    monitor: () =>
      settled(call(monitorHandler(service), { time: time.now().toISOString() }, context).then(() => returned({}))),
  };
  return { answer: await run[asked](), published };
}

function checkEnding(ending: Ending, lines: readonly Line[], ids: () => ReadonlySet<string>): string {
  if (ending.kind === 'undocumented') throw new Error(ending.what);
  if (lines.length !== 1) throw new Error(`logged ${JSON.stringify(lines)}`);
  if (ending.kind === 'success' && !ids().has(ending.backupId))
    throw new Error(`success for ${ending.backupId}, which no answer named as a backup of the trigger`);
  return ending.kind === 'failure' ? ending.reason : ending.kind;
}

/** The ids of backups that a success may name: those that are there, and those that an answer said to be. */
function ids(
  emulator: Emulator,
  requests: readonly RecordedRequest[],
  answers: readonly (FuzzedAnswer | undefined)[],
  name: string,
): ReadonlySet<string> {
  const isAsked = ({ name: made }: { readonly name: string }) => made === name || made.startsWith(`${name}-`);
  const real = emulator.control.backups().filter(isAsked);
  const stated = answers.flatMap((answer) => (answer && answer.status < 300 ? [parse(answer.text)] : []));
  const accepted = stated.flatMap(({ backup_id, job_id, error_code }) =>
    isId(backup_id) && isId(job_id) && error_code === undefined ? [backup_id] : [],
  );
  // Under a derived name the list's records, which have another, do not count.
  const wanted = new Set(requests.map(({ body }) => Object(Object(body).backup).name));
  const listed = stated
    .flatMap(({ backups }) => (Array.isArray(backups) ? backups : []))
    .map(Object)
    .filter((record) => wanted.has(String(record.name).replaceAll('@name', name)))
    .filter(({ status }) => /^(building|completed)$/i.test(String(status)))
    .map(({ id }) => String(id));
  return new Set([...real.map(({ id }) => id), ...accepted, ...listed]);
}

const isId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** A question is answered, or refused for a documented reason. */
function checkQuestion(asked: Asked, answer: Answer): string {
  if (answer.kind === 'answered') {
    const { status, body } = answer;
    if (status === 200) return 'answered';
    const ending = endingOf(answer, 'any');
    if (ending.kind !== 'failure') throw new Error(`${asked} answered ${status} ${JSON.stringify(body)}`);
    return ending.reason;
  }
  if (answer.kind === 'returned') return 'answered';
  const { error } = answer;
  if (error instanceof Error && isReason(error.name)) return error.name;
  throw error;
}
