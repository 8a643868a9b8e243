/** Publishing through SMN, signed by the project's own signer. */
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { DefaultHttpClient } from '@huaweicloud/huaweicloud-sdk-core/http/DefaultHttpClient.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from '../../emulator/dds/seed.ts';
import { topicNotifier, topicPublisher } from '../../lib/functiongraph/topic.ts';
import type { Credentials } from '../../lib/otc/signer.ts';
import type { BusEvent } from '../../lib/service/ports.ts';
import { ALARM_TOPIC, EVENT_TOPIC, type Smn, type SmnFault, startSmn } from '../support/functiongraph.ts';
import { testServers } from '../support/servers.ts';
import { virtualTime } from '../support/virtual-time.ts';

const { unused } = testServers();

const KEYS = [
  ['permanent', DEMO_CREDENTIALS],
  ['temporary', DEMO_TEMPORARY_CREDENTIALS],
] as const;

let time: ReturnType<typeof virtualTime>;
let smn: Smn;
beforeEach(async () => {
  time = virtualTime();
  smn = await startSmn({ credentials: [DEMO_CREDENTIALS, DEMO_TEMPORARY_CREDENTIALS], now: time.now });
});
afterEach(() => smn.close());

const EVENT: BusEvent = {
  type: 'DDS Backup Completed',
  time: new Date('2026-03-01T11:55:00Z'),
  detail: { id: 'b1-completed', instance_id: 'in02', instance_name: 'orders', name: 'nightly-1', size: '1 & "größer"' },
};

const timing = () => ({ now: time.now, wait: time.wait, random: () => 0.5 });
const env = (more: Readonly<Record<string, string>> = {}) => ({
  SMN_ENDPOINT: smn.url,
  EVENT_TOPIC_URN: EVENT_TOPIC,
  ALARM_TOPIC_URN: ALARM_TOPIC,
  OTC_SDK_PROJECT_ID: 'another-project',
  OTC_SDK_REGION: 'eu-de',
  STAGE: 'test',
  ...more,
});
const publisher = (credentials: Credentials = DEMO_TEMPORARY_CREDENTIALS, more = {}) =>
  topicPublisher(env(more), async () => credentials, timing());

it.each(KEYS)(
  'publish with a %s key → a message in the shape of a bus event, in the project of its topic',
  async (_, key) => {
    await publisher(key)([EVENT]);
    expect(smn.messages).toEqual([
      {
        topic: EVENT_TOPIC,
        subject: 'DDS Backup Completed: orders: nightly-1',
        text: expect.any(String),
        json: {
          source: 'dds-backup-trigger',
          'detail-type': 'DDS Backup Completed',
          time: '2026-03-01T11:55:00.000Z',
          detail: { project_id: 'another-project', region: 'eu-de', stage: 'test', ...EVENT.detail },
        },
      },
    ]);
  },
);

it('stand-in: a wrong key, another project, a clock that is off → refused', async () => {
  await expect(publisher({ ...DEMO_CREDENTIALS, sk: 'x' })([EVENT])).rejects.toThrow();
  const other = EVENT_TOPIC.replace(DEMO_PROJECT_ID, 'other');
  await expect(publisher(DEMO_CREDENTIALS, { EVENT_TOPIC_URN: other })([EVENT])).rejects.toThrow();
  expect(smn.statuses).toEqual([401, 403]);
});

it.each(KEYS)('stand-in: the official client with a %s key → accepted', async (_, { ak, sk, securityToken }) => {
  await using current = await startSmn({ credentials: [DEMO_CREDENTIALS, DEMO_TEMPORARY_CREDENTIALS] });
  const credentials = new BasicCredentials().withAk(ak).withSk(sk).withProjectId(DEMO_PROJECT_ID);
  if (securityToken !== undefined) credentials.withSecurityToken(securityToken);
  const http = new DefaultHttpClient({}, [current.url]);
  await new HcClient(http)
    .withEndpoints([current.url])
    .withCredential(credentials)
    .sendRequest({
      method: 'POST',
      url: '/v2/{project_id}/notifications/topics/{topic_urn}/publish',
      contentType: 'application/json',
      queryParams: {},
      pathParams: { project_id: DEMO_PROJECT_ID, topic_urn: EVENT_TOPIC },
      headers: {},
      data: { subject: 'subject', message: 'text' },
    });
  expect(current.messages).toMatchObject([{ topic: EVENT_TOPIC, subject: 'subject', text: 'text' }]);
});

it('subject → one line of at most 512 characters', async () => {
  await publisher()([{ ...EVENT, detail: { id: '1', instance_name: `a\r\n  b${'c'.repeat(600)}` } }]);
  expect(smn.messages[0]?.subject).toMatch(/^DDS Backup Completed: a bc{487}$/);
});

it('a message over 256 kB → its beginning, cut between characters or nearly', async () => {
  await topicNotifier(env(), async () => DEMO_CREDENTIALS, timing())('Report', `a${'ü'.repeat(200_000)}`);
  expect(Buffer.byteLength(smn.messages[0]?.text ?? '')).toBeGreaterThan(256 * 1024 - 8);
});

it.each([
  ['DDS Backup Request Failed', true],
  ['DDS Backup Failed', true],
  ['DDS Backup Stuck', true],
  ['DDS Backup Overdue', true],
  ['DDS Backup Request Deferred', false],
  ['DDS Backup Completed', false],
  ['DDS Backup Expired', false],
  ['DDS Backup Report', false],
] as const)('%s → an alarm: %s', async (type, isAlarm) => {
  await publisher()([{ ...EVENT, type }]);
  const topics = smn.messages.map(({ topic }) => topic).toSorted();
  expect(topics).toEqual(isAlarm ? [ALARM_TOPIC, EVENT_TOPIC] : [EVENT_TOPIC]);
});

describe('notify', () => {
  it('→ the text to the alarm topic', async () => {
    await topicNotifier(env(), async () => DEMO_CREDENTIALS, timing())('Report of today', 'All well.\n');
    expect(smn.messages).toMatchObject([{ topic: ALARM_TOPIC, subject: 'Report of today', text: 'All well.\n' }]);
  });

  it('no alarm topic → nothing is sent', async () => {
    await topicNotifier(env({ ALARM_TOPIC_URN: '' }), async () => DEMO_CREDENTIALS, timing())('Report', 'x');
    expect(smn.statuses).toEqual([]);
  });
});

describe('failures', () => {
  it.each<[what: string, faults: readonly SmnFault[], statuses: readonly (number | undefined)[]]>([
    ['throttled', [429], [429, 200]],
    ['a server error', [500, 503], [500, 503, 200]],
    ['a connection that is reset', ['reset'], [undefined, 200]],
  ])('%s → asked again', async (_, faults, statuses) => {
    smn.next(...faults);
    await publisher()([EVENT]);
    expect(smn.statuses).toEqual(statuses);
    expect(smn.messages).toHaveLength(1);
  });

  it('server errors all the time → PublishFailed within eight seconds', async () => {
    smn.next(...Array(100).fill(503));
    const begin = time.now().getTime();
    await expect(publisher()([EVENT])).rejects.toMatchObject({ name: 'PublishFailed', retry: 'later' });
    expect(time.now().getTime() - begin).toBeLessThanOrEqual(8000);
  });

  it('no server → PublishFailed', async () => {
    const failed = publisher(DEMO_CREDENTIALS, { SMN_ENDPOINT: await unused() })([EVENT]);
    await expect(failed).rejects.toMatchObject({ name: 'PublishFailed' });
  });

  it.each([400, 401, 403, 404])('%d → ConfigurationError, asked once, nothing of the answer in it', async (status) => {
    smn.next(status);
    const failed = publisher()([EVENT]);
    await expect(failed).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: `The topic ${EVENT_TOPIC}: SMN answered ${status}. Does it exist, and may the agency publish to it?`,
    });
    expect(smn.statuses).toEqual([status]);
  });

  it.each(['', 'dds-backups', 'urn:smn:eu-de:p', 'urn:smn:mars:p:t', 'urn:smn:eu-de:p:t/../x'])(
    'topic "%s" → ConfigurationError, nothing sent',
    async (topic) => {
      const failed = publisher(DEMO_CREDENTIALS, { EVENT_TOPIC_URN: topic, SMN_ENDPOINT: '' })([EVENT]);
      await expect(failed).rejects.toMatchObject({ name: 'ConfigurationError' });
      expect(smn.statuses).toEqual([]);
    },
  );

  it('one of three events refused → the others are published', async () => {
    const events = ['1', '2', '3'].map((id) => ({ ...EVENT, detail: { ...EVENT.detail, id } }));
    smn.next(400);
    await expect(publisher()(events)).rejects.toMatchObject({ name: 'ConfigurationError' });
    expect(smn.messages).toHaveLength(2);
  });

  it('all of three events refused → PublishFailed with counts', async () => {
    smn.next(...Array(100).fill(500));
    const failed = publisher()([EVENT, EVENT, EVENT]);
    await expect(failed).rejects.toMatchObject({ name: 'PublishFailed', message: expect.stringContaining('3 of 3') });
  });
});
