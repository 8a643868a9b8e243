/**
 * The emulator, with `total` backups, of which `recent` began within the 20 hours after `time`; the oldest of these, the
 * last to be listed, is the one of the trigger `id`: `emulator.mjs {total} {recent} {id} {time} [instances]`. The backups
 * are spread over the instances, one by default.
 */
import { startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_INSTANCES } from '../../emulator/dds/seed.ts';
import { derivedName } from '../../lib/backup/trigger.ts';
import { report } from './lambda.ts';

const [, , total = '', recent = '', id = '', time = '', fleet = ''] = process.argv;

const HOUR = 3_600_000;
const begin = new Date(time).getTime();
const own = derivedName('bench', { kind: 'invoke', id, time: new Date(time) }, DEMO_INSTANCE.id);
const instances =
  fleet === ''
    ? DEMO_INSTANCES
    : Array.from({ length: Number(fleet) }, (_, i) => ({ ...DEMO_INSTANCE, id: `instance-${i}`, name: `name-${i}` }));
const backups = Array.from({ length: Number(total) }, (_, i) => ({
  name: i === 0 ? own : `another-${i}`,
  instance_id: fleet === '' ? DEMO_INSTANCE.id : `instance-${i % Number(fleet)}`,
  type: 'Manual' as const,
  begin: new Date(i < Number(recent) ? begin + (i * 20 * HOUR) / Number(recent) : begin - 48 * HOUR - i),
}));
const { url } = await startEmulator({ instances, backups });
report({ url });
