/** The emulator's page in a real browser. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../../emulator/dds/seed.ts';
import { call, send } from '../../emulator/dds/signed-call.ts';
import { fieldsOf } from '../../lib/json.ts';
import { virtualTime } from '../support/virtual-time.ts';
import { open } from './browser.ts';

const MINUTE = 60_000;
const HOSTILE = '<img src=x onerror="document.title=\'owned\'">';

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime();
  emulator = await startEmulator({ clock: time.now, backupMillis: 10 * MINUTE, deletionMillis: MINUTE });
});
afterEach(() => emulator.close());

/** One action of the control API, as a person would send it. */
async function control(action: string, argument: unknown): Promise<void> {
  const target = `/emulator/control/${action}`;
  const { status, text } = await send(emulator, { method: 'POST', target, body: JSON.stringify(argument) });
  expect(status, text).toBe(200);
}

const create = (name: string, instance_id = DEMO_INSTANCE.id) =>
  call(emulator, { method: 'POST', body: { backup: { instance_id, name } } });

describe('page: life of a backup', () => {
  it('BUILDING with progress → COMPLETED → being deleted → gone', async () => {
    await using opened = await open(emulator.url);
    const { page } = opened;
    const [instances, backups, requests] = ['Instances', 'Backups', 'Requests'].map((name) =>
      page.locator(`#${name.toLowerCase()}`),
    );
    const [row, instance] = [backups?.locator('li'), instances?.locator('li', { hasText: 'orders' })];
    const shows = (locator: typeof row, ...texts: readonly string[]) =>
      expect
        .poll(async () => (await locator?.allInnerTexts())?.join('\n') ?? '')
        .toSatisfy((text: string) => texts.every((each) => text.includes(each)), `shows ${texts.join(', ')}`);

    await shows(page.locator('#connection'), 'live');
    await shows(row, 'None yet');
    await shows(instance, 'normal', '0 backups, none is completed');

    const { body } = await create('before-migration');
    await shows(row, 'before-migration', 'BUILDING 0 %', 'began 0 s ago');
    await shows(instance, 'normal · BACKUP', '1 backup, none');
    await shows(requests, 'create-backup', '200', '12:00:00');

    await create('second');
    await shows(requests, '403', 'DBS.201015');

    await control('advance', { millis: 4 * MINUTE });
    await shows(row, 'BUILDING 40 %', 'began 4 min 0 s ago');
    expect(await backups?.locator('progress').getAttribute('value')).toBe('0.4');

    await control('advance', { millis: 6 * MINUTE });
    await shows(row, 'COMPLETED', 'took 10 min 0 s, 2.7 MB');
    expect(await backups?.locator('progress').count()).toBe(0);
    await control('advance', { millis: 50 * MINUTE });
    await shows(instance, 'normal', 'last completed 50 min 0 s ago');

    await call(emulator, { method: 'DELETE', path: `backups/${fieldsOf(body).backup_id}` });
    await shows(row, 'DISABLED: being deleted');
    await control('advance', { millis: MINUTE });
    await shows(row, 'None yet');
    await shows(instance, '0 backups');
    expect(opened.complaints).toEqual([]);
  });

  it('a backup that FAILS, and a fault → both are shown', async () => {
    await using opened = await open(emulator.url);
    await control('changeSettings', { failNames: '^bad' });
    await control('inject', { faults: [{ kind: 'reset', when: 'after', operation: 'create-backup' }] });
    await expect.poll(() => opened.page.locator('#faults').innerText()).toBe('Faults queued: 1');
    await expect(create('bad-one')).rejects.toThrow();
    await control('advance', { millis: 10 * MINUTE });
    await expect.poll(() => opened.page.locator('#backups .tag').innerText()).toBe('FAILED');
    expect(await opened.page.locator('#requests .why').innerText()).toBe('fault: reset');
    expect(await opened.page.locator('#requests .status').innerText()).toBe('–');
    expect(opened.complaints).toEqual([]);
  });
});

describe('page: what a person does', () => {
  it('choose an instance → only its backups, until it is chosen again', async () => {
    await create('first');
    await create('other', DEMO_OTHER_INSTANCE.id);
    await using opened = await open(emulator.url);
    const names = () => opened.page.locator('#backups .name').allInnerTexts();
    await expect.poll(names).toEqual(['other', 'first']);
    const button = opened.page.getByRole('button', { name: 'orders' });
    await button.click();
    await expect.poll(names).toEqual(['first']);
    expect(await button.getAttribute('aria-pressed')).toBe('true');
    // By the keyboard: what is new on the page does not take the focus away.
    await control('advance', { millis: 10 * MINUTE });
    await expect.poll(() => opened.page.locator('#backups .tag').allInnerTexts()).toEqual(['COMPLETED']);
    await opened.page.keyboard.press('Enter');
    await expect.poll(names).toEqual(['other', 'first']);
  });

  it('the emulator ends and starts again → no connection, then live with its new state', async () => {
    await create('before');
    await using opened = await open(emulator.url);
    const connection = () => opened.page.locator('#connection').innerText();
    await expect.poll(connection).toBe('live');
    const port = Number(new URL(emulator.url).port);
    await emulator.close();
    await expect.poll(connection).toBe('no connection; trying again');
    emulator = await startEmulator({ clock: time.now, port });
    await create('after');
    await expect.poll(connection, { timeout: 20_000 }).toBe('live');
    await expect.poll(() => opened.page.locator('#backups .name').allInnerTexts()).toEqual(['after']);
  });
});

describe('page: hostile names', () => {
  it('HTML in what DDS holds and in requests → shown as text, and nothing runs', async () => {
    await control('setInstance', { instance: { id: `i${HOSTILE}`, name: HOSTILE, actions: [HOSTILE] } });
    const begin = '2026-03-01T11:00:00Z';
    await control('addBackups', {
      backups: [{ name: HOSTILE, description: HOSTILE, instance_id: `i${HOSTILE}`, begin }],
    });
    await control('inject', {
      faults: [{ kind: 'error', status: 418, error_code: HOSTILE, error_msg: HOSTILE }],
    });
    await call(emulator);
    await send(emulator, { target: `/${encodeURIComponent(HOSTILE)}` });
    await using opened = await open(emulator.url);
    await expect.poll(() => opened.page.locator('#backups .name').innerText()).toBe(HOSTILE);
    await expect
      .poll(() => opened.page.locator('#requests .why').allInnerTexts())
      .toContain(`${HOSTILE}, fault: error`);
    expect(await opened.page.locator('#instances .name').allInnerTexts()).toContain(HOSTILE);
    expect(await opened.page.locator('img').count()).toBe(0);
    expect(await opened.page.title()).toBe('DDS emulator');
    expect(opened.complaints).toEqual([]);
  });

  it('a script that is not the page’s own → refused by its policy', async () => {
    await using opened = await open(emulator.url);
    const refused = "(() => { try { document.body.innerHTML = '<b>'; return 'set'; } catch { return 'refused'; } })()";
    expect(await opened.page.evaluate(refused)).toBe('refused');
    const inline = "document.head.append(Object.assign(document.createElement('style'), { textContent: 'b {}' }))";
    await opened.page.evaluate(inline);
    await expect.poll(() => opened.complaints.join()).toMatch(/style-src/);
  });
});

describe('page: every screen', () => {
  const background = 'getComputedStyle(document.body).backgroundColor';

  it('dark mode → dark, else light', async () => {
    await using light = await open(emulator.url, { colorScheme: 'light' });
    await using dark = await open(emulator.url, { colorScheme: 'dark' });
    expect(await light.page.evaluate(background)).toBe('rgb(245, 246, 248)');
    expect(await dark.page.evaluate(background)).toBe('rgb(20, 23, 28)');
  });

  it.each([
    [320, 640],
    [390, 844],
    [768, 1024],
    [1280, 800],
  ])('%i × %i → nothing is wider than the screen', async (width, height) => {
    const begin = '2026-03-01T11:00:00Z';
    const name = 'a-name-without-any-space-as-long-as-it-may-be-0123456789-0123456';
    await control('addBackups', {
      backups: [{ name, description: 'x'.repeat(256), instance_id: DEMO_INSTANCE.id, begin }],
    });
    await create('building', DEMO_OTHER_INSTANCE.id);
    await create('refused', DEMO_OTHER_INSTANCE.id);
    await send(emulator, { target: `/${'x'.repeat(300)}` });
    await using opened = await open(emulator.url, { viewport: { width, height } });
    await expect.poll(() => opened.page.locator('#backups .name').allInnerTexts()).toEqual(['building', name]);
    const wide = `[...document.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline').map((one) => one.outerHTML.slice(0, 80))`;
    expect(await opened.page.evaluate(wide)).toEqual([]);
  });
});
