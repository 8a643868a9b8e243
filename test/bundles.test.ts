import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Metafile } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { eventWith, FUNCTIONS, type FunctionName, startBundle } from './support/bundles.ts';
import { environment } from './support/emulated.ts';
import { lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());
const lines = logLines();

describe('a sample event', () => {
  const SAMPLES: readonly (readonly [sample: string, bundle: FunctionName])[] = [
    ['http-api', 'http'],
    ['rest', 'http'],
    ['function-url', 'http'],
    ['event-bus', 'event-bus'],
    ['direct', 'invoke'],
    ['name-prefix', 'invoke'],
    ['schedule', 'invoke'],
  ];

  it.each(SAMPLES)('%s becomes one signed request and one backup through the bundle %s', async (name, bundle) => {
    // Without HTTP_AUTH: the samples come from the gateway, with whom it has authorised.
    const handler = await startBundle(bundle, environment(emulator));
    // The schedule's own time is no longer within the last day.
    const event = name === 'schedule' ? { ...sample(name), time: new Date().toISOString() } : sample(name);
    const result = await handler(event, lambdaContext());
    const ids = { job_id: expect.any(String), backup_id: emulator.backups[0]?.id };
    if (bundle === 'http') {
      expect(result).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/json' } });
      expect(JSON.parse((result as { body: string }).body)).toEqual(ids);
    } else expect(result).toEqual(ids);
    expect(emulator.requests).toMatchObject([{ operation: 'create-backup', status: 200 }]);
    expect(lines).toMatchObject([{ event: 'backup.accepted' }]);
  });
});

/** Of 1024 bytes. The body parser, the signatures of webhooks and the answers are in http alone. */
const KILOBYTES: Record<FunctionName, number> = { http: 27, 'event-bus': 24, invoke: 24 };

describe.each(FUNCTIONS)('the bundle %s', (name) => {
  const bytes = (file: string) => statSync(new URL(`../dist/${file}`, import.meta.url)).size;
  const { outputs }: { outputs: Record<string, { inputs: object; imports: { path: string }[] }> } = JSON.parse(
    readFileSync(new URL('../dist/meta.json', import.meta.url), 'utf8'),
  );
  const { inputs = {}, imports = [] } = outputs[`dist/${name}.mjs`] ?? {};

  it('is one file, and no larger than it has to be', () => {
    expect(bytes(`${name}.mjs`)).toBeLessThanOrEqual(KILOBYTES[name] * 1024);
    expect(imports.map(({ path }) => path).filter((path) => !path.startsWith('node:'))).toEqual([]);
  });

  it('holds nothing of ajv but its runtime, and no SDK', () => {
    const packages = Object.keys(inputs).filter((path) => path.includes('node_modules/'));
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.filter((path) => !/node_modules\/(@middy\/|ajv\/dist\/runtime\/)/.test(path))).toEqual([]);
  });

  it('does not load the ESM facade of node:http', () => {
    expect(imports.map(({ path }) => path)).not.toContain('node:http');
    expect(imports.map(({ path }) => path)).not.toContain('http');
  });

  it('without configuration is one error that names all that is missing', async () => {
    const handler = await startBundle(name, { HTTP_AUTH: 'none' });
    const event = eventWith[name]({ backup: { instance_id: 'x', name: 'before-migration' } });
    const missing = /OTC_SDK_PROJECT_ID.*OTC_SDK_AK.*OTC_SDK_SK/;
    if (name === 'http') {
      const answer = (await handler(event, lambdaContext())) as { statusCode: number; body: string };
      expect(answer.statusCode).toBe(500);
      expect(JSON.parse(answer.body)).toEqual({
        error_code: 'ConfigurationError',
        error_msg: expect.stringMatching(missing),
      });
    } else {
      await expect(handler(event, lambdaContext())).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringMatching(missing),
      });
    }
  });

  it('fails aloud, within its time, when DDS is pulled away', async () => {
    const handler = await startBundle(name, { ...environment(emulator), HTTP_AUTH: 'none' });
    await emulator.close();
    const event = eventWith[name]({ backup: { instance_id: 'x', name: 'before-migration' } });
    const ending = handler(event, lambdaContext(1500));
    if (name === 'http') expect(await ending).toMatchObject({ statusCode: 502 });
    else await expect(ending).rejects.toMatchObject({ name: 'UpstreamUnreachable' });
    expect(lines).toMatchObject([{ level: 'error', event: 'backup.failed', error: 'UpstreamUnreachable' }]);
  });
});

it('http is closed when nothing is configured to open it', async () => {
  const handler = await startBundle('http', environment(emulator));
  expect(
    await handler(eventWith.http({ backup: { instance_id: 'x', name: 'before-migration' } }), lambdaContext()),
  ).toMatchObject({ statusCode: 401 });
  expect(emulator.requests).toEqual([]);
});

describe('the bundle deferred', () => {
  const { outputs }: Metafile = JSON.parse(readFileSync(new URL('../dist/meta.json', import.meta.url), 'utf8'));
  const { bytes = Number.NaN, inputs = {}, imports = [] } = outputs['dist/deferred/index.mjs'] ?? {};
  const record = sample('deferred');

  it('loads at most 128 kB at its start, and no AWS SDK', () => {
    expect(bytes).toBeLessThanOrEqual(128 * 1024);
    const packages = Object.keys(inputs).filter((path) => path.includes('node_modules/'));
    expect(packages.filter((path) => !/node_modules\/(@middy\/|@aws\/durable-execution-sdk-js\/)/.test(path))).toEqual(
      [],
    );
    const atOnce = imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path);
    expect(atOnce.filter((path) => !isBuiltin(path))).toEqual([]);
    expect(atOnce).not.toContain('node:http');
  });

  it("holds the client of Lambda's API in chunks of its own, and that of EventBridge not at all", () => {
    const all = Object.entries(outputs).filter(([file]) => file.startsWith('dist/deferred/'));
    const packages = new Set(all.flatMap(([, chunk]) => Object.keys(chunk.inputs)));
    expect([...packages].some((path) => path.includes('@aws-sdk/client-lambda/'))).toBe(true);
    expect([...packages].filter((path) => path.includes('client-eventbridge'))).toEqual([]);
    expect([...packages].filter((path) => /\/ajv\/|durable-execution-sdk-js-testing/.test(path))).toEqual([]);
  });

  it('makes one backup of the sample', async () => {
    const handler = await startBundle('deferred/index', environment(emulator));
    const { status, result } = await runDurableExecution({
      handler,
      payload: record,
      context: () => lambdaContext(),
      now: () => new Date(),
      wait: async () => {},
    });
    expect(status).toBe('SUCCEEDED');
    expect(result).toEqual({ job_id: expect.any(String), backup_id: emulator.backups[0]?.id });
    expect(emulator.requests).toMatchObject([{ operation: 'create-backup', status: 200 }]);
  });

  it('keeps its state through the API of Lambda, and announces a refusal through that of EventBridge', async () => {
    const requests: { path: string; body: Record<string, unknown> }[] = [];
    const aws = createServer(async (incoming, response) => {
      const body = JSON.parse(Buffer.concat(await incoming.toArray()).toString());
      requests.push({ path: decodeURIComponent(incoming.url ?? ''), body });
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', connection: 'close' });
      const announced = { FailedEntryCount: 0, Entries: [{ EventId: 'e' }] };
      const kept = { CheckpointToken: 'next', NewExecutionState: { Operations: [] } };
      response.end(JSON.stringify('Entries' in body ? announced : kept));
    });
    await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void aws.close());
    onTestFinished(() => void vi.unstubAllEnvs());
    const { port } = aws.address() as AddressInfo;
    for (const service of ['LAMBDA', 'EVENTBRIDGE'])
      vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, `http://127.0.0.1:${port}`);
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'x');
    vi.stubEnv('AWS_REGION', 'eu-central-1');

    const handler = await startBundle('deferred/index', { ...environment(emulator), EVENT_BUS: 'orders' });
    const DurableExecutionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:1/durable-execution/a/b';
    const refused = { ...record, responsePayload: { errorType: 'DdsRejected', errorMessage: 'no such instance' } };
    const execution = { Id: 'e', Type: 'EXECUTION', Status: 'STARTED', StartTimestamp: new Date().toISOString() };
    const Operations = [{ ...execution, ExecutionDetails: { InputPayload: JSON.stringify(refused) } }];
    const input = { DurableExecutionArn, CheckpointToken: 'first', InitialExecutionState: { Operations } };
    expect(await handler(input, lambdaContext())).toEqual({
      Status: 'FAILED',
      Error: expect.objectContaining({ ErrorType: 'DdsRejected', ErrorMessage: 'no such instance' }),
    });

    const checkpoints = requests.filter(({ path }) => path.endsWith(`${DurableExecutionArn}/checkpoint`));
    const announcements = requests.filter((request) => !checkpoints.includes(request));
    expect(checkpoints.at(-1)?.body).toMatchObject({ Updates: [{ Name: 'announce-refusal', Action: 'SUCCEED' }] });
    expect(announcements).toMatchObject([
      { body: { Entries: [{ EventBusName: 'orders', DetailType: 'DDS Backup Refused' }] } },
    ]);
  });
});
