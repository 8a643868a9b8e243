import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Aws, startAws, throttled } from '../../test/support/aws.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { awsApi } from './api.ts';
import { topicNotifier } from './topic.ts';

const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alarms';

let time: ReturnType<typeof virtualTime>;
let aws: Aws;
beforeEach(async () => {
  time = virtualTime();
  aws = await startAws({ clock: () => time.now(), topics: [TOPIC] });
});
afterEach(() => aws.close());

const notify = (subject: string, text: string, topic = TOPIC) =>
  topicNotifier({ ...aws.env, ALARM_TOPIC_ARN: topic }, awsApi(aws.env, { ...time, random: () => 1 }, 100))(
    subject,
    text,
  );

it('→ one message, whatever is in the text', async () => {
  const text = 'Über 100 %: a=b&c=d\n  Überfällig + "offen" <x>\n';
  await notify('DDS backups of p, 2026-03-01', text);
  expect(aws.messages).toEqual([
    { Version: '2010-03-31', TopicArn: TOPIC, Subject: 'DDS backups of p, 2026-03-01', Message: text },
  ]);
});

it('long subject → cut to 100 characters', async () => {
  await notify('x'.repeat(150), 'text');
  expect(aws.messages).toMatchObject([{ Subject: 'x'.repeat(100) }]);
});

it('no topic → nothing is sent', async () => {
  await notify('subject', 'text', '');
  expect(aws.requests).toEqual([]);
});

it('throttled for a moment → retried', async () => {
  aws.next(throttled, { kind: 'half' });
  await notify('subject', 'text');
  expect(aws.messages.length).toBeGreaterThanOrEqual(1);
});

it.each([
  ['throttled all the time', throttled, 'PublishFailed'],
  ['silent', { kind: 'hang' }, 'PublishFailed'],
  ['not permitted', { kind: 'error', status: 403, type: 'AuthorizationError' }, 'ConfigurationError'],
] as const)('topic %s → %o, within eight seconds', async (_, fault, name) => {
  aws.decide = () => fault;
  const began = time.now().getTime();
  await expect(notify('subject', 'text')).rejects.toMatchObject({ name, message: expect.stringContaining(TOPIC) });
  expect(time.now().getTime() - began).toBeLessThanOrEqual(8000);
});

it('topic that does not exist → ConfigurationError', async () => {
  const notified = notify('subject', 'text', `${TOPIC}-2`);
  await expect(notified).rejects.toMatchObject({ name: 'ConfigurationError' });
});
