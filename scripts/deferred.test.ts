import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { tryAgain } from './deferred.ts';

let emulator: Emulator;
let said: string[];
let waited: number[];
beforeEach(async () => {
  emulator = await startEmulator();
  said = [];
  waited = [];
});
afterEach(() => emulator.close());
logLines();

const run = (file?: string) =>
  tryAgain({
    file,
    port: Number(new URL(emulator.url).port),
    say: (line) => void said.push(line),
    wait: async (millis) => void waited.push(millis),
  });

describe('npm run deferred', () => {
  it('makes a backup of the sample, and shows what it waits for', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.instanceBusy, operation: 'create-backup' });
    expect(await run()).toBe(0);
    expect(said).toEqual([
      'waiting before first-wait: 60 s, here 1 s',
      'waiting before create-backup: 120 s, here 1 s',
      expect.stringMatching(/^succeeded: \{"job_id":"[0-9a-f-]{36}","backup_id":"[0-9a-f]{32}br02"\}$/),
    ]);
    expect(waited).toEqual([1000, 1000]);
    expect(emulator.backups).toHaveLength(1);
  });

  it('prints what it would announce of another record', async () => {
    const file = join(tmpdir(), `dds-backup-trigger-${process.pid}.json`);
    const responsePayload = { errorType: 'BackupNameTaken', errorMessage: 'it is taken' };
    onTestFinished(() => rm(file));
    await writeFile(file, JSON.stringify({ ...sample('deferred'), responsePayload }));
    expect(await run(file)).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(/^announced: DDS Backup Refused \{.*"error":"BackupNameTaken"/),
      'failed: BackupNameTaken: it is taken',
    ]);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['no JSON', 'InstanceBusy'],
    ['no object', '7'],
  ])('says in one sentence that a file holds %s', async (_, text) => {
    const file = join(tmpdir(), `dds-backup-trigger-${process.pid}-none.json`);
    onTestFinished(() => rm(file));
    await writeFile(file, text);
    expect(await run(file)).toBe(1);
    expect(said).toEqual([`${file} is no record of a failed invocation, such as events/deferred.json.`]);
    expect(emulator.requests).toEqual([]);
  });

  it('says in one sentence that there is no such file', async () => {
    expect(await run('nowhere.json')).toBe(1);
    expect(said).toEqual([expect.stringMatching(/^nowhere\.json cannot be read: ENOENT/)]);
  });

  it('says in one sentence that there is no emulator', async () => {
    await emulator.close();
    expect(await run()).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(/^No emulator listens on port \d+: run npm start in another terminal\.$/),
    ]);
  });
});
