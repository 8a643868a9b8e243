/** The samples in events/foreign: how triggers that know nothing of us reach a function, and which are refused. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { eventBusHandler } from '../functions/event-bus.ts';
import { httpHandler } from '../functions/http.ts';
import { invokeHandler } from '../functions/invoke.ts';
import { awsService } from '../lib/aws/platform.ts';
import { environment } from './support/emulated.ts';
import { goTemplate, pipeInput, ruleInput } from './support/input-transformer.ts';
import { call, httpAnswer, lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';
import { virtualTime } from './support/virtual-time.ts';

const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime('2026-03-01T12:00:01Z');
  emulator = await startEmulator({ clock: time.now, backupMillis: 1000 });
});
afterEach(() => emulator.close());
const lines = logLines();

const service = () =>
  awsService({
    env: { ...environment(emulator), WEBHOOK_SECRET },
    timing: { now: time.now, wait: time.wait, random: () => 1 },
    attemptMillis: 100,
  });

/** The pipe puts the request on the bus, every time as another event. */
const onTheBus = (detail: unknown, id: string) => ({
  ...sample('event-bus'),
  id,
  time: `${time.now().toISOString().slice(0, 19)}Z`,
  detail,
});

const deliver = (event: unknown) => call(eventBusHandler(service()), event, lambdaContext(60_000));
const names = () => emulator.backups.map(({ name }) => name);

describe('rule → input transformer → invoke', () => {
  const { event, input_transformer, becomes } = sample('foreign/rule');
  const { InputPathsMap, InputTemplate } = input_transformer;

  it('sample → the request that stands with it', () => {
    expect(ruleInput(event, InputPathsMap, InputTemplate)).toEqual(becomes);
  });

  it('delivered twice → one backup', async () => {
    const payload = ruleInput(event, InputPathsMap, InputTemplate);
    const invoke = () => call(invokeHandler(service()), payload, lambdaContext(60_000));
    const first = await invoke();
    time.advance(60_000);
    expect(await invoke()).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(first).toMatchObject({ backup_id: emulator.backups[0]?.id });
    expect(names()).toEqual([expect.stringMatching(/^before-migration-20260301T120000Z-[a-z2-7]{14}$/)]);
  });
});

describe('queue → pipe → bus', () => {
  it.each(['foreign/sqs', 'foreign/sns'])('%s → the request that stands with it, and one backup', async (name) => {
    const { record, input_template, becomes } = sample(name);
    const detail = pipeInput(record, input_template);
    expect(detail).toEqual(becomes);
    await deliver(onTheBus(detail, 'event-1'));
    expect(names()).toEqual([becomes.backup.name]);
  });

  it('message that the pipe reads twice → one backup, and the second event is rejected', async () => {
    const { record, input_template } = sample('foreign/sqs');
    const detail = pipeInput(record, input_template);
    await deliver(onTheBus(detail, 'event-1'));
    time.advance(60_000);
    await expect(deliver(onTheBus(detail, 'event-2'))).rejects.toMatchObject({ name: 'BackupNameTaken' });
    expect(names()).toHaveLength(1);
  });

  it('envelope of SNS, without raw message delivery → rejected, and DDS is not asked', async () => {
    const { record } = sample('foreign/sns');
    const envelope = { Type: 'Notification', TopicArn: 'arn:aws:sns:eu-central-1:1:t', Message: record.body };
    const detail = pipeInput({ ...record, body: JSON.stringify(envelope) }, '<$.body>');
    await expect(deliver(onTheBus(detail, 'event-1'))).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(lines).toMatchObject([{ message: expect.stringContaining('/Message is not a known field') }]);
    expect(emulator.requests).toEqual([]);
  });
});

describe('Alertmanager and Grafana → SNS → queue → pipe → bus', () => {
  const { record, input_template } = sample('foreign/sns');

  it.each(['foreign/alertmanager', 'foreign/grafana'])('%s → its template makes the request', async (name) => {
    const { data, message, becomes } = sample(name);
    const detail = pipeInput({ ...record, body: goTemplate(message, data) }, input_template);
    expect(detail).toEqual(becomes);
    await deliver(onTheBus(detail, 'event-1'));
    expect(names()).toEqual([becomes.backup.name]);
  });

  it('alert without the label → rejected, and DDS is not asked', async () => {
    const { data, message } = sample('foreign/alertmanager');
    const body = goTemplate(message, { ...data, CommonLabels: {} });
    const detail = pipeInput({ ...record, body }, input_template);
    await expect(deliver(onTheBus(detail, 'event-1'))).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
  });
});

describe('webhooks that are signed in another way', () => {
  it.each<{ by: string; headers: object; body: object; signature?: Record<string, string> }>(
    sample('foreign/signed-by-others'),
  )('$by → 401 that says which signature is needed, and DDS is not asked', async ({ headers, body, signature }) => {
    const text = JSON.stringify(body);
    const { header = '', prefix = '', encoding } = signature ?? {};
    const digest = createHmac('sha256', WEBHOOK_SECRET).update(text);
    const signed = encoding === 'hex' ? { [header]: `${prefix}${digest.digest(encoding)}` } : {};
    const event = {
      requestContext: { http: { method: 'POST' }, requestId: 'r', timeEpoch: time.now().getTime() },
      rawPath: '/webhooks',
      headers: { ...headers, ...signed },
      body: text,
    };
    const answer = httpAnswer(await call(httpHandler(service()), event, lambdaContext()));
    expect(answer).toMatchObject({
      statusCode: 401,
      body: { reason: 'Unauthorized', error_msg: expect.stringContaining('webhook-signature (standardwebhooks.com)') },
    });
    expect(emulator.requests).toEqual([]);
  });
});
