/** What stays in memory: `heap.mjs {bundle} {events} {more events}`, counted from the start. Needs --expose-gc. */
import { setTimeout } from 'node:timers/promises';
import { context, events, expectBackup, load, report } from './lambda.ts';

const [, , bundle = '', ...counts] = process.argv;

const IN_FLIGHT = 10;
const handler = await load(bundle);
let done = 0;

async function heapAfter(total: number): Promise<number> {
  const line = async () => {
    while (done++ < total) expectBackup(await handler(events.invoke('one-of-many'), context));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, line));
  done = total;
  // What finalisers let go is free after the next collection only.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await setTimeout(50);
  }
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

const megabytes: number[] = [];
for (const count of counts) megabytes.push(await heapAfter(Number(count)));
report({ megabytes });
process.exit();
