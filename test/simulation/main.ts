/** `npm run test:simulation -- --help` */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { replay, summary, violationReport } from './report.ts';
import { run } from './run.ts';
import { mostFrequentFirst, table } from './table.ts';

const USAGE = `npm run test:simulation -- [options]
  --events 20000     how many events to simulate
  --seed 1           a whole number; the same seed gives the same run. Default: a random one, which is printed
  --simulation 7     only this one of the run's simulations
  --fuzz 4000        how many arbitrary events each function gets afterwards, and how many arbitrary answers of DDS come;
                     0 for none
Ends with exit code 1 when an invariant does not hold.`;

/** The user can correct it: only its message is shown. */
class Unusable extends Error {}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Unusable(`Invalid --${option}: ${text}. Give a whole number of at most 9 digits.`);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(randomInt(999_999_999)) },
      simulation: { type: 'string' },
      fuzz: { type: 'string', default: '4000' },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.simulation === undefined ? undefined : wholeNumber('simulation', values.simulation);
  return {
    help: values.help,
    events: wholeNumber('events', values.events),
    seed: wholeNumber('seed', values.seed),
    only,
    cases: only === undefined ? wholeNumber('fuzz', values.fuzz) : 0,
  };
}

async function main(): Promise<void> {
  const { help, events, seed, only, cases } = readArguments();
  if (help) return console.log(USAGE);

  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const memory = () => `${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most`;
  const progress = (text: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${text} `);
  };

  console.log(`${events} events from seed ${seed}. To repeat this run: ${replay({ events, seed, fuzz: cases })}\n`);
  const result = await run({ events, seed, only, onProgress: (done) => progress(`${done} events`) });
  console.log(`\n${summary(result.figures)}\n\n${seconds()}, ${memory()}\n`);

  if (result.violations.length > 0) {
    console.error(violationReport(result.violations, result.conditions));
    console.error(`\nTo replay this: ${replay({ events, seed, simulation: result.simulation })}`);
    process.exitCode = 1;
  } else {
    console.log('Every invariant held.\n');
  }

  if (cases > 0) {
    // On failure it rejects with the event, the seed and the path that fast-check replays.
    const { fuzz } = await import('./fuzz/fuzz.ts');
    const endings = await fuzz({ cases, seed });
    console.log(table('fuzzed deliveries ended as', mostFrequentFirst(endings)));
    console.log(`\nEvery answer was documented, and nothing invalid reached DDS. ${seconds()}, ${memory()}\n`);
    const { fuzzAnswers } = await import('./fuzz/fuzz-answers.ts');
    console.log(table('after arbitrary answers of DDS', mostFrequentFirst(await fuzzAnswers({ cases, seed }))));
    console.log(`\nNo crash, no success without a backup, no secret. ${seconds()}, ${memory()}`);
  }
}

const isArgumentError = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

main().catch((error: unknown) => {
  console.error(error instanceof Unusable || isArgumentError(error) ? error.message : error);
  process.exitCode = 1;
});
