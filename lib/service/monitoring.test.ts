import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { instanceOf } from '../../test/simulation/world.ts';
import { type Aws, startAws } from '../../test/support/aws.ts';
import { environment } from '../../test/support/emulated.ts';
import { logLines } from '../../test/support/log-lines.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { awsService } from '../aws/platform.ts';
import { HOUR, MINUTE } from '../time.ts';
import { monitorRuns } from './monitoring.ts';

const REPORT_TIME = new Date('2026-03-01T06:00:00Z');
const OTHER_PROJECT = '1c8de49e33e54a4e9eb2fcb3a8b1b7d5';
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alarms';

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime('2026-03-01T06:00:02Z');
  emulator = await startEmulator({ clock: time.now });
  aws = await startAws({ clock: () => time.now(), topics: [TOPIC] });
});
afterEach(async () => {
  await emulator.close();
  await aws.close();
});
const lines = logLines();

function run(at = REPORT_TIME, env: Record<string, string> = {}) {
  const service = awsService({
    env: { ...environment(emulator), ...aws.env, EVENT_BUS: 'orders', ALARM_TOPIC_ARN: TOPIC, ...env },
    timing: { ...time, random: () => 1 },
  });
  const end = time.now().getTime() + MINUTE;
  return monitorRuns(service)(at, { getRemainingTimeInMillis: () => end - time.now().getTime() });
}

const failed = (hoursAgo: number, name = 'nightly-1') => ({
  name,
  instance_id: DEMO_INSTANCE.id,
  begin: new Date(REPORT_TIME.getTime() - hoursAgo * HOUR - MINUTE),
  end: new Date(REPORT_TIME.getTime() - hoursAgo * HOUR),
  outcome: 'FAILED' as const,
});
const reports = () => aws.events.filter(({ type }) => type === 'DDS Backup Report');

describe('monitorRuns: report', () => {
  it('run at the report time → the event, and the text to the topic', async () => {
    emulator.control.addBackups({ backups: [failed(30)] });
    await run();
    expect(reports()).toMatchObject([
      {
        time: REPORT_TIME,
        detail: {
          id: `report-${DEMO_PROJECT_ID}-2026-03-01`,
          project_id: DEMO_PROJECT_ID,
          region: 'eu-de',
          day: '2026-03-01',
          instance_count: 3,
          failed_count: 1,
          failed: [{ name: 'nightly-1' }],
          suspicious_count: 0,
        },
      },
    ]);
    expect(aws.messages).toMatchObject([
      {
        TopicArn: TOPIC,
        Subject: `DDS backups of ${DEMO_PROJECT_ID}, 2026-03-01`,
        Message: expect.stringContaining('nightly-1, began 2026-02-27T23:59:00Z'),
      },
    ]);
  });

  it.each([-5, 5])('run %i minutes beside it → none', async (minutes) => {
    time.advance(10 * MINUTE);
    await run(new Date(REPORT_TIME.getTime() + minutes * MINUTE));
    expect([reports(), aws.messages]).toEqual([[], []]);
  });

  it('REPORT_TIME → at that time', async () => {
    await run(REPORT_TIME, { REPORT_TIME: '05:56' });
    expect(reports()).toHaveLength(1);
    await run(REPORT_TIME, { REPORT_TIME: '05:55' });
    expect(reports()).toHaveLength(1);
  });

  it('no topic → the event only', async () => {
    await run(REPORT_TIME, { ALARM_TOPIC_ARN: '' });
    expect(reports()).toHaveLength(1);
    expect(aws.messages).toEqual([]);
  });

  it('500 instances and 1,500 failed backups → an event that the bus takes, with the counts', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `instance-with-a-long-id-${String(i).padStart(10, '0')}`);
    for (const id of ids) emulator.control.setInstance({ instance: { ...instanceOf(id, 0), name: 'n'.repeat(64) } });
    emulator.control.addBackups({
      backups: ids.flatMap((instance_id, i) =>
        [1, 2, 3].map((n) => ({ ...failed(20 + n / 10, `${'x'.repeat(50)}-${i}-${n}`), instance_id })),
      ),
    });
    await run();
    expect(reports()).toMatchObject([{ detail: { instance_count: 503, failed_count: 1500 } }]);
    expect(reports()[0]?.detail.failed).toHaveLength(100);
    expect(reports()[0]?.detail.instances).toHaveLength(400);
    expect(aws.messages).toHaveLength(1);
  });

  it.each<[string, 'events' | 'sns']>([
    ['bus refuses → the text is sent', 'events'],
    ['topic refuses → the events are published', 'sns'],
  ])('%s, and the run fails', async (_, service) => {
    aws.decide = (request) =>
      request.service === service ? { kind: 'error', status: 500, type: 'InternalFailure' } : undefined;
    await expect(run()).rejects.toMatchObject({ name: 'PublishFailed' });
    expect([reports().length, aws.messages.length]).toEqual(service === 'events' ? [0, 1] : [1, 0]);
    expect(lines.at(-1)).toMatchObject({ event: 'monitor.done' });
  });
});

describe('monitorRuns: several projects', () => {
  const env = { OTC_SDK_PROJECT_ID: '', OTC_SDK_PROJECTS: `eu-de:${DEMO_PROJECT_ID},eu-nl:${OTHER_PROJECT}` };
  beforeEach(() => {
    const instances = [instanceOf('archive', 0)];
    emulator.control.addProject({ id: OTHER_PROJECT, credentials: [DEMO_CREDENTIALS], instances });
    emulator.control.addBackups({ backups: [failed(0.15)] });
    emulator.control.addBackups({ project: OTHER_PROJECT, backups: [{ ...failed(0.15), instance_id: 'archive' }] });
  });

  it('→ a run of each, its lines and events with project and region', async () => {
    const runs = await run(REPORT_TIME, env);
    expect(runs.map(({ instances }) => instances).sort()).toEqual([1, 3]);
    const origins = [
      { project_id: DEMO_PROJECT_ID, region: 'eu-de' },
      { project_id: OTHER_PROJECT, region: 'eu-nl' },
    ];
    for (const origin of origins) {
      expect(lines).toContainEqual(expect.objectContaining({ event: 'monitor.done', failed: 1, ...origin }));
      for (const type of ['DDS Backup Failed', 'DDS Backup Report'])
        expect(aws.events).toContainEqual(expect.objectContaining({ type, detail: expect.objectContaining(origin) }));
    }
    expect(aws.messages).toHaveLength(2);
  });

  it('one project is down → the other is read and published; the error names the one', async () => {
    emulator.control.decideFaults(({ project }) =>
      project === DEMO_PROJECT_ID ? { kind: 'error', ...refusals.permissionDenied } : undefined,
    );
    await expect(run(REPORT_TIME, env)).rejects.toMatchObject({
      name: 'CredentialsRefused',
      annotation: { project_id: DEMO_PROJECT_ID, region: 'eu-de' },
    });
    expect(lines.filter(({ event }) => event === 'monitor.done')).toMatchObject([{ project_id: OTHER_PROJECT }]);
    expect(reports()).toMatchObject([{ detail: { project_id: OTHER_PROJECT } }]);
  });
});
