/** A replay with a long list of backups: `replay.mjs {bundle} {id} {time}`. The first event is a warm-up. */
import { subscribe } from 'node:diagnostics_channel';
import { context, expectBackup, load, report } from './lambda.ts';

const [, , bundle = '', id = '', time = ''] = process.argv;

const handler = await load(bundle);
const event = () => ({
  id,
  time,
  backup: { instance_id: 'a89dab5e39394eccbdb77b19d57b0180in02', name_prefix: 'bench' },
});
expectBackup(await handler(event(), context));

let requests = 0;
subscribe('http.client.request.start', () => {
  requests += 1;
});
const cpuBefore = process.cpuUsage();
const begun = performance.now();
const answer = await handler(event(), context);
const millis = performance.now() - begun;
const { user, system } = process.cpuUsage(cpuBefore);
expectBackup(answer);
report({ requests, millis, ownCpuMillis: (user + system) / 1000 });
process.exit();
