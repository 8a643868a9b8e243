/** `npm run start:functiongraph`: the functions of FunctionGraph on this machine, beside an emulated DDS. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { startEmulator } from '../../emulator/dds/emulator.ts';
import { DEMO_INSTANCE, DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from '../../emulator/dds/seed.ts';
import { fieldsOf, lowerCased, parseJson, textsOf } from '../../lib/json.ts';
import { MINUTE } from '../../lib/time.ts';
import { main, readPort, Unusable } from './command.ts';
import { FUNCTIONS, gatewayEvent, type LocalFunction, NODE, startFunction } from './functiongraph-runtime.ts';
import { listenError } from './ports.ts';

const PORT = 3010;
const HOST = '127.0.0.1';

const USAGE = `npm run start:functiongraph -- [options]

Builds the functions and runs those of FunctionGraph on this machine, on Node 20.15 where that is installed, beside an
emulated DDS and with temporary keys. Port 0 is any free one.

  --port ${PORT}    the route of API Gateway, /backups, and /invoke/{function} for any other event
  --no-build     takes the bundles that are there
  --help         this text`;

const topicUrn = (name: string): string => `urn:smn:eu-de:${DEMO_PROJECT_ID}:${name}`;

/** Runs until a signal ends it. */
async function run(port: number, signal: AbortSignal): Promise<number> {
  await using emulator = await startEmulator({ backupMillis: 3000 });
  await using resources = new AsyncDisposableStack();
  const topics = resources.adopt(createServer(printMessage), close);
  const smn = await listen(topics, 0);
  const userData = {
    DDS_ENDPOINT: emulator.url,
    SMN_ENDPOINT: `http://${HOST}:${smn}`,
    HTTP_AUTH: 'gateway',
    EVENT_TOPIC_URN: topicUrn('events'),
    ALARM_TOPIC_URN: topicUrn('alarms'),
    RETENTION: 'nightly: keep-within 14d',
    STAGE: 'local',
  };
  const functions = new Map<string, LocalFunction>();
  if (NODE.notice) console.log(NODE.notice);
  for (const name of FUNCTIONS) {
    const onOutput = (output: string) => void process.stdout.write(output);
    const options = { userData, keys: DEMO_TEMPORARY_CREDENTIALS, projectId: DEMO_PROJECT_ID, onOutput };
    const started = resources.use(await startFunction(name, options));
    functions.set(name, started);
    const { node, handlerLength, importMillis } = started;
    console.log(
      `${name}: Node ${node}, handler with ${handlerLength} parameters, loaded in ${importMillis.toFixed()} ms`,
    );
  }
  const gateway = resources.adopt(
    createServer((request, response) => {
      answer(functions, request).then(
        ({ status, headers, body }) => response.writeHead(status, headers).end(body),
        () => response.writeHead(500).end(),
      );
    }),
    close,
  );
  console.log(instructions(await listen(gateway, port)));
  if (!signal.aborted) await once(signal, 'abort');
  return 0;
}

interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

async function answer(functions: ReadonlyMap<string, LocalFunction>, request: IncomingMessage): Promise<HttpAnswer> {
  const { method = 'GET', url: target = '/' } = request;
  const body = await text(request);
  const [, name = ''] = /^\/invoke\/(\w+)$/.exec(target) ?? [];
  const invoked = functions.get(name);
  if (invoked) return direct(invoked, body);
  const event = gatewayEvent({ method, target, headers: lowerCased(textsOf(request.headers)), body });
  const answered = await functions.get('http')?.invoke(event);
  const { statusCode, headers, body: replied } = fieldsOf(parseJson(answered?.payload ?? ''));
  if (typeof statusCode !== 'number' || typeof replied !== 'string')
    return { status: 500, headers: JSON_TYPE, body: JSON.stringify(answered) };
  return { status: statusCode, headers: textsOf(headers), body: replied };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Any event, as an asynchronous call brings it. */
async function direct(invoked: LocalFunction, body: string): Promise<HttpAnswer> {
  const { payload, error } = await invoked.invoke(parseJson(body), { timeoutMillis: 75 * MINUTE });
  return { status: error ? 500 : 200, headers: JSON_TYPE, body: error ? JSON.stringify(error) : payload };
}

/** SMN, as far as a publisher sees it. Its path ends in `topics/{urn}/publish`. */
function printMessage(request: IncomingMessage, response: { end(body: string): void }): void {
  const [, topic] = /:([\w-]+)\/publish$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
  text(request).then(
    (body) => {
      console.log(`SMN ${topic}: ${fieldsOf(parseJson(body)).subject}`);
      response.end('{"message_id":"local","request_id":"local"}');
    },
    () => response.end(''),
  );
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, HOST);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function instructions(port: number): string {
  const request = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'before-migration' } };
  return `
Create a backup, and see it:

  curl http://localhost:${port}/backups -H 'content-type: application/json' -d '${JSON.stringify(request)}'
  curl 'http://localhost:${port}/backups?instance_id=${DEMO_INSTANCE.id}'

Ask for one as another function does, and run the monitor:

  curl http://localhost:${port}/invoke/event -d '${JSON.stringify({ id: 'release-42', ...request })}'
  curl http://localhost:${port}/invoke/monitor -d "{\\"time\\":\\"$(date -u +%FT%TZ)\\"}"

Ctrl-C ends everything.
`;
}

/** Shows what went wrong, and not the list of files. */
async function build(): Promise<number> {
  const child = spawn('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}

await main({
  usage: USAGE,
  options: { port: { type: 'string', default: String(PORT) }, 'no-build': { type: 'boolean', default: false } },
  run: async (options) => {
    const port = readPort(options);
    const taken = port === 0 ? undefined : await listenError(port);
    if (taken !== undefined) throw new Unusable(`Cannot listen on port ${port}: ${taken}. Choose another: --port`);
    const failed = options['no-build'] === true ? 0 : await build();
    const ending = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ending.abort());
    return failed === 0 ? run(port, ending.signal) : failed;
  },
});
