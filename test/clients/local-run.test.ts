/** clients/backup-and-wait.sh against the service as `npm start` runs it: the real script, curl, bundles and routes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_INSTANCE } from '../../emulator/dds/seed.ts';
import { startService } from './local-service.ts';
import { run, type Settings } from './run-script.ts';

let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  service = await startService();
}, 60_000);
afterAll(() => service[Symbol.asyncDispose]());

beforeEach(async () => {
  await service.control('removeBackups', {});
  await service.control('changeSettings', { backupMillis: 3000, failNames: null });
});

let runs = 0;

/** Each pause of the script takes no time here, and three seconds in DDS. */
function backupAndWait(more: readonly string[] = [], settings: Settings = {}) {
  runs += 1;
  const options = ['--url', service.url, '--instance-id', DEMO_INSTANCE.id, '--name-prefix', 'before-migration'];
  const key = more.includes('--idempotency-key') ? [] : ['--idempotency-key', `run-${runs}`];
  const onPause = () => service.control('advance', { millis: 3000 });
  return run([...options, ...key, ...more], settings.realTime ? settings : { onPause, ...settings });
}

const makeBusy = () => service.control('addBackups', { backups: [buildingBackup()] });

/** One that DDS makes for somebody else. */
const buildingBackup = () => ({
  name: 'of-the-console',
  instance_id: DEMO_INSTANCE.id,
  type: 'Manual',
  begin: new Date().toISOString(),
  end: new Date(Date.now() + 3_600_000).toISOString(),
});

describe('backup-and-wait.sh against npm start', { timeout: 30_000 }, () => {
  it('instance idle, in real time → exit 0', async () => {
    const { code, stdout, stderr } = await backupAndWait([], { realTime: true });
    const backups = await service.backups();
    expect(backups).toMatchObject([{ status: 'COMPLETED' }]);
    const id = backups[0]?.id;
    expect([code, stdout]).toEqual([0, `${id}\n`]);
    expect(stderr.split('\n').slice(1)).toEqual([
      `backup-and-wait: Backup ${id} is accepted.`,
      `backup-and-wait: Backup ${id} is BUILDING.`,
      `backup-and-wait: Backup ${id} is COMPLETED.`,
      '',
    ]);
  });

  it('instance busy at first → waits as long as the answer says, exit 0', async () => {
    await makeBusy();
    const { code, stdout, stderr, pauses } = await backupAndWait([], {
      onPause: async (pause) => {
        if (pause === 2) await service.control('removeBackups', { name: 'of-the-console' });
        await service.control('advance', { millis: 3000 });
      },
    });
    const [backup] = await service.backups();
    expect(backup?.status).toBe('COMPLETED');
    expect([code, stdout]).toEqual([0, `${backup?.id}\n`]);
    expect(stderr).toContain('Waits and asks again: HTTP 403 InstanceBusy: ');
    expect(pauses.slice(0, 2)).toEqual([60, 60]);
  });

  it('backup FAILED → exit 1, the id in the message', async () => {
    await service.control('changeSettings', { failNames: '^before-migration-' });
    const { code, stdout, stderr } = await backupAndWait();
    const backups = await service.backups();
    expect(backups).toMatchObject([{ status: 'FAILED' }]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`Backup ${backups[0]?.id} is FAILED.`);
  });

  it('request refused → exit 1', async () => {
    const { code, stderr, pauses } = await backupAndWait(['--description', 'a<b']);
    expect([code, pauses]).toEqual([1, []]);
    expect(stderr).toContain('Refused: HTTP 400 InvalidRequest: ');
    expect(await service.backups()).toEqual([]);
  });

  it('BUILDING for too long → exit 2; again with its key → the same backup, exit 0', async () => {
    await service.control('changeSettings', { backupMillis: 60_000 });
    const options = ['--idempotency-key', 'again', '--timeout', '20'];
    const { code, stdout, stderr } = await backupAndWait(options);
    const [backup] = await service.backups();
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`Time-out after 20 seconds. Last: the backup is BUILDING. Backup ${backup?.id} goes on`);

    await service.control('advance', { millis: 60_000 });
    expect(await backupAndWait(options)).toMatchObject({ code: 0, stdout: `${backup?.id}\n`, pauses: [] });
    expect(await service.backups()).toHaveLength(1);
  });

  it('instance busy for too long → exit 2, and no backup', async () => {
    await makeBusy();
    const { code, stdout, stderr } = await backupAndWait(['--timeout', '90']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Time-out after 90 seconds. Last: HTTP 403 InstanceBusy: ');
    expect(await service.backups()).toMatchObject([{ name: 'of-the-console' }]);
  });
});
