import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Metafile } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { eventWith, FUNCTIONS, type FunctionName, startBundle } from './support/bundles.ts';
import { environment } from './support/emulated.ts';
import { httpAnswer, lambdaContext, sample } from './support/lambda.ts';
import { logLines } from './support/log-lines.ts';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());
const lines = logLines();

const { outputs }: Metafile = JSON.parse(readFileSync(new URL('../dist/meta.json', import.meta.url), 'utf8'));

/** All that is loaded when the function starts: the file, and the chunks that it imports at once. */
function startOf(file: string): { bytes: number; inputs: string[]; imports: { path: string; isLazy: boolean }[] } {
  const { bytes = Number.NaN, inputs = {}, imports = [] } = outputs[`dist/${file}`] ?? {};
  const start = { bytes, inputs: Object.keys(inputs), imports: [] as { path: string; isLazy: boolean }[] };
  for (const { path, kind } of imports) {
    const isLazy = kind !== 'import-statement';
    if (isLazy || !path.startsWith('dist/')) start.imports.push({ path, isLazy });
    else {
      const chunk = startOf(path.slice('dist/'.length));
      start.bytes += chunk.bytes;
      start.inputs.push(...chunk.inputs);
      start.imports.push(...chunk.imports);
    }
  }
  return start;
}

const packagesIn = (inputs: readonly string[]) => inputs.filter((path) => path.includes('node_modules/'));

describe('bundles: sample event', () => {
  const SAMPLES: readonly (readonly [sample: string, bundle: FunctionName])[] = [
    ['http-api', 'http'],
    ['rest', 'http'],
    ['function-url', 'http'],
    ['event-bus', 'event-bus'],
    ['direct', 'invoke'],
    ['name-prefix', 'invoke'],
    ['schedule', 'invoke'],
  ];

  /** Nothing is submitted for an old event, and the samples are old. */
  const recentSample = (name: string) => {
    const event = sample(name);
    const { requestContext } = event;
    return {
      ...event,
      ...('time' in event && { time: new Date().toISOString() }),
      ...(requestContext && {
        requestContext: { ...requestContext, timeEpoch: Date.now(), requestTimeEpoch: Date.now() },
      }),
    };
  };

  it.each(SAMPLES)('%s → one signed request and one backup through %s', async (name, bundle) => {
    // Without HTTP_AUTH: the samples come from the gateway, with whom it has authorized.
    const handler = await startBundle(bundle, environment(emulator));
    const result = await handler(recentSample(name), lambdaContext());
    const ids = { job_id: expect.any(String), backup_id: emulator.backups[0]?.id };
    if (bundle === 'http') {
      const { statusCode, headers, body } = httpAnswer(result);
      expect({ statusCode, body }).toEqual({ statusCode: 200, body: ids });
      expect(headers).toMatchObject({ 'content-type': 'application/json' });
    } else expect(result).toEqual(ids);
    expect(emulator.requests).toMatchObject([{ operation: 'create-backup', status: 200 }]);
    expect(lines).toMatchObject([{ event: 'request.accepted' }]);
  });
});

/**
 * Of 1024 bytes, at most: the size of a bundle is a part of every cold start. A feature that needs more raises the
 * figure here and says why in CHANGELOG.md.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  'http.mjs': 66,
  'event-bus.mjs': 60,
  'invoke.mjs': 60,
  'monitor.mjs': 66,
  'retention.mjs': 64,
  // Without the chunks that it loads when it needs them.
  'deferred/index.mjs': 144,
};

it.each(Object.entries(BUDGETS))('bundles: %s → at most %i kB', (file, budget) => {
  const kilobytes = startOf(file).bytes / 1024;
  const advice = 'A feature that needs more raises the budget in test/bundles.test.ts and says why in CHANGELOG.md.';
  expect(
    kilobytes,
    `dist/${file} has ${kilobytes.toFixed(1)} kB, and its budget is ${budget}. ${advice}`,
  ).toBeLessThanOrEqual(budget);
});

describe.each([...FUNCTIONS, 'monitor', 'retention'])('bundles: %s', (name) => {
  const { inputs, imports } = startOf(`${name}.mjs`);

  it('→ one file that imports nothing but Node', () => {
    expect(imports.map(({ path }) => path).filter((path) => !isBuiltin(path))).toEqual([]);
  });

  it('→ middy, aws4 and the runtime of ajv; no SDK', () => {
    const packages = packagesIn(inputs);
    expect(packages.length).toBeGreaterThan(0);
    expect(packages.filter((path) => !/node_modules\/(@middy|aws4|ajv\/dist\/runtime)\//.test(path))).toEqual([]);
  });

  it('→ node:http is not loaded at the start: its ESM form costs 20 ms', () => {
    const atOnce = imports.filter(({ isLazy }) => !isLazy).map(({ path }) => path);
    expect(atOnce.map((path) => path.replace('node:', ''))).not.toContain('http');
  });
});

describe.each(FUNCTIONS)('bundles: %s', (name) => {
  it('no configuration → one error that names everything that is missing', async () => {
    const handler = await startBundle(name, { HTTP_AUTH: 'none' });
    const event = eventWith[name]({ backup: { instance_id: 'x', name: 'before-migration' } });
    const missing = /(?=.*OTC_SDK_PROJECT_ID)(?=.*OTC_SDK_AK)(?=.*OTC_SDK_SK)/;
    if (name === 'http') {
      expect(httpAnswer(await handler(event, lambdaContext()))).toMatchObject({
        statusCode: 500,
        body: {
          error_code: 'ConfigurationError',
          error_msg: expect.stringMatching(missing),
          reason: 'ConfigurationError',
        },
      });
    } else {
      await expect(handler(event, lambdaContext())).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringMatching(missing),
      });
    }
  });

  it('DDS is gone → fails within its time', async () => {
    const handler = await startBundle(name, { ...environment(emulator), HTTP_AUTH: 'none' });
    await emulator.close();
    const event = eventWith[name]({ backup: { instance_id: 'x', name: 'before-migration' } });
    const ending = handler(event, lambdaContext(1500));
    if (name === 'http') expect(await ending).toMatchObject({ statusCode: 502 });
    else await expect(ending).rejects.toMatchObject({ name: 'UpstreamUnreachable' });
    expect(lines).toMatchObject([{ level: 'error', event: 'request.failed', reason: 'UpstreamUnreachable' }]);
  });
});

it('bundles: http without HTTP_AUTH → 401 for an unknown caller', async () => {
  const handler = await startBundle('http', environment(emulator));
  expect(
    await handler(eventWith.http({ backup: { instance_id: 'x', name: 'before-migration' } }), lambdaContext()),
  ).toMatchObject({ statusCode: 401 });
  expect(emulator.requests).toEqual([]);
});

describe('bundles: deferred', () => {
  const { inputs, imports } = startOf('deferred/index.mjs');
  const record = sample('deferred');

  it('→ loads no AWS SDK at its start', () => {
    expect(
      packagesIn(inputs).filter(
        (path) => !/node_modules\/(@middy|@aws\/durable-execution-sdk-js|ajv\/dist\/runtime)\//.test(path),
      ),
    ).toEqual([]);
    const atOnce = imports.filter(({ isLazy }) => !isLazy).map(({ path }) => path);
    expect(atOnce.filter((path) => !isBuiltin(path))).toEqual([]);
    expect(atOnce).not.toContain('node:http');
  });

  it("→ the client of Lambda's API and aws4 in chunks of their own; no compiler of ajv, nothing for tests", () => {
    const all = Object.entries(outputs).filter(([file]) => file.startsWith('dist/deferred/'));
    const packages = [...new Set(all.flatMap(([, chunk]) => Object.keys(chunk.inputs)))];
    expect(packages.some((path) => path.includes('@aws-sdk/client-lambda/'))).toBe(true);
    expect(packages.some((path) => path.includes('/aws4/'))).toBe(true);
    expect(
      packages.filter((path) => /\/ajv\/(?!dist\/runtime\/)|client-eventbridge|execution-sdk-js-testing/.test(path)),
    ).toEqual([]);
  });

  it('sample → one backup', async () => {
    const handler = await startBundle('deferred/index', environment(emulator));
    const { status, result } = await runDurableExecution({
      handler,
      payload: {
        ...record,
        timestamp: new Date().toISOString(),
        requestPayload: { ...record.requestPayload, time: new Date().toISOString() },
      },
      context: () => lambdaContext(),
      now: () => new Date(),
      wait: async () => {},
    });
    expect(status).toBe('SUCCEEDED');
    expect(result).toEqual({ job_id: expect.any(String), backup_id: emulator.backups[0]?.id });
    expect(emulator.requests).toMatchObject([{ operation: 'create-backup', status: 200 }]);
  });

  it('state → kept through the API of Lambda; end → published through that of EventBridge', async () => {
    const requests: { path: string; body: Record<string, unknown> }[] = [];
    const aws = createServer(async (incoming, response) => {
      const body = JSON.parse(Buffer.concat(await incoming.toArray()).toString());
      requests.push({ path: decodeURIComponent(incoming.url ?? ''), body });
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', connection: 'close' });
      const accepted = { FailedEntryCount: 0, Entries: [{ EventId: 'e' }] };
      const kept = { CheckpointToken: 'next', NewExecutionState: { Operations: [] } };
      response.end(JSON.stringify('Entries' in body ? accepted : kept));
    });
    await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void aws.close());
    const { port } = aws.address() as AddressInfo;
    const handler = await startBundle('deferred/index', {
      ...environment(emulator),
      EVENT_BUS: 'orders',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${port}`,
    });
    const DurableExecutionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:deferred:1/durable-execution/a/b';
    const rejected = { ...record, responsePayload: { errorType: 'DdsRejected', errorMessage: 'no such instance' } };
    const execution = { Id: 'e', Type: 'EXECUTION', Status: 'STARTED', StartTimestamp: new Date().toISOString() };
    const Operations = [{ ...execution, ExecutionDetails: { InputPayload: JSON.stringify(rejected) } }];
    const input = { DurableExecutionArn, CheckpointToken: 'first', InitialExecutionState: { Operations } };
    expect(await handler(input, lambdaContext())).toEqual({
      Status: 'FAILED',
      Error: expect.objectContaining({ ErrorType: 'DdsRejected', ErrorMessage: 'no such instance' }),
    });

    const checkpoints = requests.filter(({ path }) => path.endsWith(`${DurableExecutionArn}/checkpoint`));
    const events = requests.filter((request) => !checkpoints.includes(request));
    expect(checkpoints.at(-1)?.body).toMatchObject({ Updates: [{ Name: 'publish-rejection', Action: 'SUCCEED' }] });
    expect(events).toMatchObject([
      { body: { Entries: [{ EventBusName: 'orders', DetailType: 'DDS Backup Request Failed' }] } },
    ]);
  });
});
