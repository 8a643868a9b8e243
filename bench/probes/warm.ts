/** Events one after the other in one process: `warm.mjs {bundle} {kind of event} {milliseconds}`. */
import { Bench } from 'tinybench';
import { context, type EventKind, events, expectBackup, load, report } from './lambda.ts';

const [, , bundle = '', kind = '', millis = ''] = process.argv;

const handler = await load(bundle);
const event = events[kind as EventKind];
expectBackup(await handler(event('warm-event'), context));

const bench = new Bench({ time: Number(millis), warmupTime: Number(millis), retainSamples: true, throws: true });
let cpu = process.cpuUsage();
bench.add(
  'event',
  async () => {
    await handler(event('warm-event'), context);
  },
  {
    beforeAll: () => {
      cpu = process.cpuUsage();
    },
    afterAll: () => {
      cpu = process.cpuUsage(cpu);
    },
  },
);
const [task] = await bench.run();
if (task?.result.state !== 'completed') throw new Error('the bench did not complete');
const { p50, p99, samplesCount } = task.result.latency;
report({ p50Micros: p50 * 1000, p99Micros: p99 * 1000, cpuMillis: (cpu.user + cpu.system) / 1000 / samplesCount });
process.exit();
