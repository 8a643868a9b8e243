/** So many invocations in flight in one process: `concurrent.mjs {bundle} {in flight} {events}`. Needs --expose-gc. */
import { context, events, expectBackup, load, report } from './lambda.ts';

const [, , bundle = '', inFlight = '', count = ''] = process.argv;

const handler = await load(bundle);
const collect = globalThis.gc ?? (() => {});

/** Milliseconds for `total` events, `inFlight` of them at any time. */
async function run(total: number): Promise<number> {
  let left = total;
  const line = async () => {
    while (left-- > 0) expectBackup(await handler(events.invoke('one-of-many'), context));
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: Number(inFlight) }, line));
  return performance.now() - begun;
}

await run(2 * Number(inFlight) + 500);
collect();
const heapBefore = process.memoryUsage().heapUsed;
const millis = await run(Number(count));
collect();
const { heapUsed } = process.memoryUsage();
report({
  eventsPerSecond: (1000 * Number(count)) / millis,
  // In kilobytes, the largest that the process ever was.
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  heapMegabytes: heapUsed / 1024 / 1024,
  heapGrowthMegabytes: (heapUsed - heapBefore) / 1024 / 1024,
});
process.exit();
