/** Recognises its own backup in a long list: `recognise.mjs {bundle} {id} {time}`. The first event warms up. */
import { context, expectBackup, load, report } from './lambda.ts';

const [, , bundle = '', id = '', time = ''] = process.argv;

const handler = await load(bundle);
const event = () => ({
  id,
  time,
  backup: { instance_id: 'a89dab5e39394eccbdb77b19d57b0180in02', name_prefix: 'bench' },
});
expectBackup(await handler(event(), context));

const cpuBefore = process.cpuUsage();
const begun = performance.now();
const answer = await handler(event(), context);
const millis = performance.now() - begun;
const { user, system } = process.cpuUsage(cpuBefore);
expectBackup(answer);
report({ millis, ownCpuMillis: (user + system) / 1000 });
process.exit();
