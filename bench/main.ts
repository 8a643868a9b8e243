/** `npm run bench -- --help` */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { bytes } from './bytes.ts';
import { checkAll } from './check.ts';
import { coldStart } from './cold-start.ts';
import { cost } from './cost.ts';
import { functionGraph } from './functiongraph.ts';
import { concurrency, memory, replay } from './growth.ts';
import { type Item, isReached, print } from './harness/report.ts';
import { monitor } from './monitor.ts';
import { signer } from './signer.ts';
import { warmEvent } from './warm-event.ts';

const USAGE = `npm run bench -- [options]
  --quick     a tenth of the rounds, to see that it runs; the figures scatter
Compares the bundles in dist/ with (a) an empty handler, (b) the least that a signed request needs, (c) the usual way:
ajv compiles at start, the official SDK signs and sends. Prints tables and writes all figures to dist/bench.json.`;

const ours = ['http', 'event-bus', 'invoke'] as const;
const rivals = ['(b) bare POST', '(c) usual http', '(c) usual invoke'] as const;

/** What the functions may cost, in comparison with the least that the task needs. */
const LIMITS = {
  /** Of each bundle of `ours`. */
  kilobytes: 66,
  /** Times (b) built-ins. */
  import: 2,
  /** Times (b) bare POST: the first answer of a new process. */
  firstAnswer: 1.3,
  /** Times (b) bare POST: the p50 of a warm event. */
  warmEvent: 1.5,
  /** From the fewer events to the more. */
  heapGrowth: 0.05,
  monitorSeconds: 15,
  monitorMegabytes: 128,
} as const;

async function measureAll(quick: boolean): Promise<void> {
  const rounds = (count: number): number => (quick ? Math.max(2, count / 10) : count);
  const items: Item[] = [];
  function done<I extends Item>(item: I): I {
    print(item);
    items.push(item);
    return item;
  }

  const [load = 0] = loadavg();
  const machine = `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model}, load ${load.toFixed(1)}`;
  console.log(load > 0.5 ? `${machine}: other processes run on this machine, so the figures scatter` : machine);
  await import('./build.ts');
  await checkAll([...ours, ...rivals]);

  done(await bytes({ ours, beside: 'bench/usual-http.mjs', atMostKilobytes: LIMITS.kilobytes }));

  const { found: cold } = done(
    await coldStart({
      compared: [...ours, '(a) empty', '(b) built-ins', ...rivals],
      rounds: rounds(40),
      ours,
      import: { baseline: '(b) built-ins', atMost: LIMITS.import },
      answer: { baseline: '(b) bare POST', atMost: LIMITS.firstAnswer },
    }),
  );

  done(await functionGraph({ rounds: rounds(40) }));

  const { found: warm } = done(
    await warmEvent({
      compared: ['http', 'invoke', ...rivals],
      rounds: rounds(9),
      millis: quick ? 500 : 1200,
      ours: ['http', 'invoke'],
      baseline: '(b) bare POST',
      atMost: LIMITS.warmEvent,
    }),
  );

  done(await signer({ rounds: rounds(11), millis: quick ? 200 : 500 }));

  done(await concurrency({ inFlight: [1, 10, 100, 1000], events: quick ? 2000 : 10_000, rounds: rounds(3) }));
  done(
    await memory({
      events: quick ? [1000, 10_000] : [5000, 50_000],
      rounds: rounds(3),
      atMostGrowth: LIMITS.heapGrowth,
    }),
  );
  done(
    await replay({
      lists: [
        { backups: 100, inWindow: 100 },
        { backups: 1000, inWindow: 1000 },
        { backups: 10_000, inWindow: 10_000 },
        { backups: 10_000, inWindow: 10 },
      ],
      rounds: rounds(5),
    }),
  );

  done(
    await monitor({
      backups: [100, 1000, 10_000],
      rounds: rounds(5),
      atMostSeconds: LIMITS.monitorSeconds,
      atMostMegabytes: LIMITS.monitorMegabytes,
    }),
  );

  done(
    cost({
      compared: ['http', 'invoke', ...rivals],
      cold,
      warm,
      assumed: {
        memoryMegabytes: 256,
        ddsMillis: 300,
        roundTripMillis: 10,
        dollarsPerGigabyteSecond: 0.000_013_333_4,
        dollarsPerMillionRequests: 0.2,
      },
    }),
  );

  const targets = items.flatMap(({ targets = [] }) => targets);
  console.log(`\n${targets.filter(isReached).length} of ${targets.length} targets reached.`);
  await writeFile('dist/bench.json', JSON.stringify({ machine, quick, items }, undefined, 2));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(USAGE);
  await measureAll(values.quick);
}

const isArgumentError = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

main().catch((error: unknown) => {
  console.error(isArgumentError(error) ? error.message : error);
  process.exitCode = 1;
});
