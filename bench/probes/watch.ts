/** One run of watch, the first of its process: `watch.mjs {bundle} {time}`. */
import { context, load, report } from './lambda.ts';

const [, , bundle = '', time = ''] = process.argv;

const begun = performance.now();
const handler = await load(bundle);
const imported = performance.now();
const { happenings, backups } = (await handler({ time }, { ...context, getRemainingTimeInMillis: () => 60_000 })) as {
  readonly happenings: readonly unknown[];
  readonly backups: number;
};
const { user, system } = process.cpuUsage();
report({
  importMillis: imported - begun,
  runMillis: performance.now() - imported,
  // From the start of the process.
  ownCpuMillis: (user + system) / 1000,
  // In kilobytes, the largest that the process ever was.
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  backups,
  announced: happenings.length,
});
process.exit();
