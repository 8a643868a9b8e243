/** One run of the monitor, the first of its process: `monitor.mjs {bundle} {time}`. */
import { subscribe } from 'node:diagnostics_channel';
import { context, load, report } from './lambda.ts';

const [, , bundle = '', time = ''] = process.argv;

const begun = performance.now();
const handler = await load(bundle);
const imported = performance.now();

// The run returns nothing: its log line has the numbers.
const { info } = console;
let done: Readonly<Record<string, number>> = {};
console.info = (line: string) => {
  if (line.includes('"monitor.done"')) done = JSON.parse(line);
  info(line);
};

let requests = 0;
subscribe('http.client.request.start', () => {
  requests += 1;
});

const started = performance.now();
await handler({ time }, { ...context, getRemainingTimeInMillis: () => 60_000 });
const { user, system } = process.cpuUsage();
report({
  importMillis: imported - begun,
  runMillis: performance.now() - started,
  // From the start of the process.
  ownCpuMillis: (user + system) / 1000,
  // In kilobytes, the largest that the process ever was.
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  requests,
  backups: done.backups,
  published: (done.completed ?? 0) + (done.failed ?? 0) + (done.stuck ?? 0) + (done.overdue ?? 0),
});
process.exit();
