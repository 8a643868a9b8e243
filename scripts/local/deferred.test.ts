import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { sample } from '../../test/support/lambda.ts';
import { logLines } from '../../test/support/log-lines.ts';
import { Unusable } from './command.ts';
import { retryLocally } from './deferred.ts';

let emulator: Emulator;
let printed: string[];
let waited: number[];
beforeEach(async () => {
  emulator = await startEmulator();
  printed = [];
  waited = [];
});
afterEach(() => emulator.close());
logLines();

const run = (file?: string) =>
  retryLocally({
    file,
    port: Number(new URL(emulator.url).port),
    print: (line) => void printed.push(line),
    wait: async (millis) => void waited.push(millis),
  });

/** The path of a file that lives as long as the test. */
async function fileOf(text: string): Promise<string> {
  const file = join(tmpdir(), `dds-backup-trigger-${process.pid}.json`);
  onTestFinished(() => rm(file));
  await writeFile(file, text);
  return file;
}

describe('npm run deferred', () => {
  it('sample, instance busy → one backup, and each pause is printed', async () => {
    emulator.faults.next({ kind: 'error', ...refusals.instanceBusy, operation: 'create-backup' });
    expect(await run()).toBe(0);
    expect(printed).toEqual([
      expect.stringMatching(/^published: DDS Backup Request Deferred \{.*"reason":"InstanceBusy"/),
      'pause-1: 60 s, here 1 s',
      'pause-2: 120 s, here 1 s',
      expect.stringMatching(/^succeeded: \{"job_id":"[0-9a-f-]{36}","backup_id":"[0-9a-f]{32}br02"\}$/),
    ]);
    expect(waited).toEqual([1000, 1000]);
    expect(emulator.backups).toHaveLength(1);
  });

  it('sample twice → replayed', async () => {
    expect(await run()).toBe(0);
    expect(await run()).toBe(0);
    expect(printed.at(-1)).toBe(`succeeded: {"backup_id":"${emulator.backups[0]?.id}"}`);
    expect(emulator.backups).toHaveLength(1);
  });

  it('another record → prints what would be published', async () => {
    const responsePayload = { errorType: 'BackupNameTaken', errorMessage: 'it is taken' };
    expect(await run(await fileOf(JSON.stringify({ ...sample('deferred'), responsePayload })))).toBe(1);
    expect(printed).toEqual([
      expect.stringMatching(/^published: DDS Backup Request Failed \{.*"reason":"BackupNameTaken"/),
      'failed: BackupNameTaken: it is taken',
    ]);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['no JSON', 'InstanceBusy'],
    ['no object', '7'],
  ])('file with %s → one line', async (_, text) => {
    const file = await fileOf(text);
    await expect(run(file)).rejects.toEqual(
      new Unusable(`Invalid record: ${file} is not a JSON object. See events/deferred.json.`),
    );
    expect(emulator.requests).toEqual([]);
  });

  it('no such file → one line', async () => {
    await expect(run('missing.json')).rejects.toEqual(
      new Unusable("Cannot read missing.json: ENOENT: no such file or directory, open 'missing.json'"),
    );
  });

  it('no emulator → one line', async () => {
    await emulator.close();
    const { port } = new URL(emulator.url);
    await expect(run()).rejects.toEqual(
      new Unusable(`No emulator listens on port ${port}. Run npm start in another terminal.`),
    );
  });
});
