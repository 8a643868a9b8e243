/** `npm run bench`: what is compared with what. Writes a table to the screen and all figures to `dist/bench.json`. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import './build.ts';
import { bytes } from './bytes.ts';
import { checkAll } from './check.ts';
import { coldStart } from './cold-start.ts';
import { cost } from './cost.ts';
import { concurrency, memory, recognition } from './growth.ts';
import { type Item, isReached, print } from './harness/report.ts';
import { signer } from './signer.ts';
import { warmEvent } from './warm-event.ts';
import { watch } from './watch.ts';

// `-- --quick`: a tenth of the rounds, to see that it runs.
const quick = process.argv.includes('--quick');
const rounds = (count: number): number => (quick ? Math.max(2, count / 10) : count);

// (a) an empty handler; (b) the floor: no signed POST over TLS without these two modules, and nothing but that POST;
// (c) the usual way: ajv compiles at start, the official SDK signs and sends.
const ours = ['http', 'event-bus', 'invoke'] as const;
const rivals = ['(b) bare POST', '(c) usual http', '(c) usual invoke'] as const;

const items: Item[] = [];
function done<I extends Item>(item: I): I {
  print(item);
  items.push(item);
  return item;
}

const [load = 0] = loadavg();
const machine = `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model}, load ${load.toFixed(1)}`;
console.log(load > 0.5 ? `${machine}: this machine does other things too, the figures will scatter` : machine);
await checkAll([...ours, ...rivals]);

done(await bytes({ ours, beside: 'bench/usual-http.mjs', atMostKilobytes: 24 }));

const { found: cold } = done(
  await coldStart({
    compared: [...ours, '(a) empty', '(b) floor', ...rivals],
    rounds: rounds(40),
    ours,
    import: { floor: '(b) floor', atMost: 1.5 },
    answer: { floor: '(b) bare POST', atMost: 1.3 },
  }),
);

const { found: warm } = done(
  await warmEvent({
    compared: ['http', 'invoke', ...rivals],
    rounds: rounds(9),
    millis: quick ? 500 : 1200,
    ours: ['http', 'invoke'],
    floor: '(b) bare POST',
    atMost: 1.25,
  }),
);

done(await signer({ rounds: rounds(11), millis: quick ? 200 : 500, atMostHashes: 2, atLeastOfficial: 2.5 }));

done(await concurrency({ inFlight: [1, 10, 100, 1000], events: quick ? 2000 : 10_000, rounds: rounds(3) }));
done(await memory({ events: quick ? [1000, 10_000] : [5000, 50_000], rounds: rounds(3), atMostGrowth: 0.05 }));
done(
  await recognition({
    lists: [
      { backups: 100, inWindow: 100 },
      { backups: 1000, inWindow: 1000 },
      { backups: 10_000, inWindow: 10_000 },
      { backups: 10_000, inWindow: 10 },
    ],
    rounds: rounds(5),
  }),
);

done(await watch({ backups: [100, 1000, 10_000], rounds: rounds(5), atMostSeconds: 15, atMostMegabytes: 128 }));

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
