/** One cold start: `cold.mjs {bundle} {kind of event}`. */
import { context, type EventKind, events, expectBackup, load, report } from './lambda.ts';

const [, , bundle = '', kind = '', answersBackup = ''] = process.argv;

const begun = performance.now();
const handler = await load(bundle);
const imported = performance.now();
const initCpu = process.cpuUsage();
const answer = await handler(events[kind as EventKind]('cold-start'), context);
// Counted from the start of the process.
const answered = performance.now();
const eventCpu = process.cpuUsage(initCpu);

if (answersBackup) expectBackup(answer);
report({
  importMillis: imported - begun,
  answeredMillis: answered,
  initMillis: imported,
  eventMillis: answered - imported,
  eventCpuMillis: (eventCpu.user + eventCpu.system) / 1000,
});
process.exit();
