/** Functions of FunctionGraph on this machine, each in a process of its own, on Node 20.15 where that is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldsOf, isObject } from '../../lib/json.ts';
import type { Credentials } from '../../lib/otc/signer.ts';
import { SECOND } from '../../lib/time.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNTIME = join(import.meta.dirname, 'functiongraph-runtime.cjs');
const NODE_20 = join(ROOT, 'node_modules/node20/bin/node');

export const FUNCTIONS = ['http', 'event', 'monitor', 'retention'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** The Node to run functions with. The optional dependency `node20` exists for Linux on x64 only. */
export const NODE = existsSync(NODE_20)
  ? { path: NODE_20, notice: undefined }
  : {
      path: process.execPath,
      notice: `node20 (Node 20.15.1) is not installed: the bundles of FunctionGraph run on Node ${process.versions.node}.`,
    };

export interface FunctionOptions {
  readonly userData: Readonly<Record<string, string>>;
  /** Those of the agency; undefined for a function without one. */
  readonly keys: Credentials | undefined;
  readonly projectId: string;
  /** Called with each piece of what it writes. */
  readonly onOutput?: (text: string) => void;
}

/** What a function answers, or throws. */
export type Answer =
  | { readonly payload: string; readonly error?: undefined }
  | { readonly payload?: undefined; readonly error: { readonly errorType: string; readonly errorMessage: string } };

export interface InvokeOptions {
  readonly keys?: Credentials | undefined;
  readonly requestId?: string;
  readonly timeoutMillis?: number;
}

export interface LocalFunction extends AsyncDisposable {
  readonly node: string;
  readonly importMillis: number;
  readonly handlerLength: number;
  /** Everything that it wrote. */
  output(): string;
  invoke(event: unknown, options?: InvokeOptions): Promise<Answer>;
}

/**
 * Starts `dist/functiongraph/{name}.js`, alone in a folder as in its zip, with an empty environment.
 * @throws Error when it cannot be loaded as the runtime loads it
 */
export async function startFunction(name: FunctionName, options: FunctionOptions): Promise<LocalFunction> {
  const folder = await mkdtemp(join(tmpdir(), 'functiongraph-'));
  await copyFile(join(ROOT, `dist/functiongraph/${name}.js`), join(folder, `${name}.js`));
  const child = spawn(NODE.path, [RUNTIME, join(folder, name), 'handler'], {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      options.onOutput?.(text);
    });
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };

  const waiting = new Map<string, (answer: Answer) => void>();
  const started = await firstMessage(child).catch(async () => {
    await close();
    throw new Error(`${name} cannot be loaded: ${output}`);
  });
  child.on('message', (message) => {
    const { id, payload, error } = fieldsOf(message);
    const { errorType, errorMessage } = fieldsOf(error);
    waiting.get(String(id))?.(
      isObject(error)
        ? { error: { errorType: String(errorType), errorMessage: String(errorMessage) } }
        : { payload: String(payload) },
    );
    waiting.delete(String(id));
  });
  child.on('exit', () => {
    for (const end of waiting.values()) end({ error: { errorType: 'Exit', errorMessage: 'The process ended.' } });
  });

  return {
    node: String(started.node),
    importMillis: Number(started.importMillis),
    handlerLength: Number(started.handlerLength),
    output: () => output,
    invoke(event, { keys = options.keys, requestId = randomUUID(), timeoutMillis = 30 * SECOND } = {}) {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      const id = randomUUID();
      waiting.set(id, resolve);
      const { userData, projectId } = options;
      child.send({ id, event, context: { requestId, timeoutMillis, keys, userData, projectId } });
      return promise;
    },
    [Symbol.asyncDispose]: close,
  };
}

function firstMessage(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  child.once('message', (message) => resolve(fieldsOf(message)));
  child.once('error', reject);
  child.once('close', () => reject(new Error('The process ended.')));
  return promise;
}

export interface GatewayRequest {
  readonly method?: string;
  /** With the query. */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** The event that API Gateway (APIG) makes of an HTTP request. */
export function gatewayEvent({ method = 'POST', target = '/backups', headers = {}, body = '' }: GatewayRequest) {
  const { pathname, searchParams } = new URL(target, 'http://localhost');
  const requestId = randomUUID();
  const lowerCased = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    body: Buffer.from(body).toString('base64'),
    requestContext: { requestId, apiId: 'local', stage: 'RELEASE' },
    queryStringParameters: Object.fromEntries(searchParams),
    httpMethod: method,
    pathParameters: {},
    headers: { ...Object.fromEntries(lowerCased), 'x-request-id': requestId },
    path: pathname,
    isBase64Encoded: true,
  };
}
