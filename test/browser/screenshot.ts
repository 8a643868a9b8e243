/** Makes docs/images/emulator.png: `npm exec -- node test/browser/screenshot.ts`. */
import { mkdir } from 'node:fs/promises';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../../emulator/dds/seed.ts';
import { call } from '../../emulator/dds/signed-call.ts';
import { virtualTime } from '../support/virtual-time.ts';
import { open } from './browser.ts';

const [target = 'docs/images/emulator.png', width = '800', colorScheme = 'light'] = process.argv.slice(2);
const MINUTE = 60_000;
const time = virtualTime('2026-03-01T04:30:00Z');
await using emulator = await startEmulator({ clock: time.now, backupMillis: 12 * MINUTE, failNames: '^nightly-cat' });
const create = (name: string, { id }: { id: string }, description?: string) =>
  call(emulator, { method: 'POST', body: { backup: { instance_id: id, name, ...(description && { description }) } } });

await create('nightly-20260301T043000Z-4je2o7egahftqf', DEMO_INSTANCE);
await create('nightly-catalogue-20260301T043000Z', DEMO_OTHER_INSTANCE);
time.advance(5 * 60 * MINUTE);
await create('before-migration-fyeqq7x6mfsuab', DEMO_INSTANCE, 'release 7');
time.advance(4 * MINUTE);
await create('import-ls6vwbjfvk4gao', DEMO_INSTANCE);
await create('legacy-once', DEMO_FAULTY_INSTANCE);
emulator.control.inject({ faults: [{ kind: 'reset', when: 'after', operation: 'create-backup' }] });
await create('before-import-mfsuab4je2o7eg', DEMO_OTHER_INSTANCE).catch(() => {});
time.advance(3 * MINUTE);
await call(emulator);

await mkdir(new URL('../../docs/images/', import.meta.url), { recursive: true });
await using opened = await open(emulator.url, {
  viewport: { width: Number(width), height: 200 },
  colorScheme: colorScheme === 'dark' ? 'dark' : 'light',
});
await opened.page.locator('#requests li').nth(5).waitFor();
await opened.page.screenshot({ path: target, fullPage: true });
