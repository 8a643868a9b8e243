/** `npm run chaos`: `-- --events 100000 --seed 1`; `--world 7` replays one world of a run, `--fuzz 0` leaves the fuzzing out. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/fuzz.ts';
import { complaint, replay, summary } from './report.ts';
import { run } from './run.ts';
import { mostFrequentFirst, table } from './table.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    world: { type: 'string' },
    fuzz: { type: 'string', default: '4000' },
  },
});

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${name} must be a whole number.`);
  return Number(text);
};
const events = wholeNumber('events', values.events);
const seed = wholeNumber('seed', values.seed);
const world = values.world === undefined ? undefined : wholeNumber('world', values.world);
const cases = world === undefined ? wholeNumber('fuzz', values.fuzz) : 0;

const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
const memory = () => `${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most`;
const progress = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${text} `);
};

console.log(`${events} events from seed ${seed}. To run this again: ${replay({ events, seed, fuzz: cases })}\n`);
const result = await run({ events, seed, world, onProgress: (done) => progress(`${done} events`) });
console.log(`\n${summary(result.figures)}\n\n${seconds()}, ${memory()}\n`);

if (result.violations.length > 0) {
  console.error(complaint(result.violations));
  console.error(`\nTo replay this: ${replay({ events, seed, world: result.world })}`);
  process.exitCode = 1;
} else {
  console.log('Every event ended as one backup or as an error that its sender saw.\n');
}

if (cases > 0) {
  // On failure it rejects with the event, the seed and the path that fast-check replays.
  const endings = await fuzz({ cases, seed });
  console.log(table('fuzzed deliveries ended as', mostFrequentFirst(endings)));
  console.log(`\nOnly documented answers came out, and nothing invalid reached DDS. ${seconds()}, ${memory()}`);
}
