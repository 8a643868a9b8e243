/**
 * The emulator, with `total` backups of one instance, of which `recent` began within the last 20 hours; the oldest of
 * these, the last to be listed, is the one of the trigger `id`: `emulator.mjs {total} {recent} {id} {time}`.
 */
import { startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../../emulator/dds/seed.ts';
import { derivedName } from '../../lib/backup/trigger.ts';
import { report } from './lambda.ts';

const [, , total = '', recent = '', id = '', time = ''] = process.argv;

const HOUR = 3_600_000;
const begin = new Date(time).getTime();
const own = derivedName('bench', { kind: 'invoke', id, time: new Date(time) }, DEMO_INSTANCE.id);
const backups = Array.from({ length: Number(total) }, (_, i) => ({
  name: i === 0 ? own : `another-${i}`,
  instance_id: DEMO_INSTANCE.id,
  type: 'Manual' as const,
  begin: new Date(i < Number(recent) ? begin + (i * 20 * HOUR) / Number(recent) : begin - 48 * HOUR - i),
}));
const { url } = await startEmulator({ backups });
report({ url });
