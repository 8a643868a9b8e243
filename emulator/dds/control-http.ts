/**
 * The control over HTTP: `POST /emulator/control/{action}` with the action's argument as JSON, and `GET
 * /emulator/control[/backups|/requests]`. Nothing authenticates the caller: the emulator listens on 127.0.0.1 only.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ActionName, type Control, runAction } from './control.ts';
import { ACTION_NAMES, actionShapes, backupSelector } from './control-shapes.ts';
import { readBody } from './exchange.ts';
import { parseJson } from './json.ts';

const PATH = '/emulator/control';
const MAX_BODY = 256 * 1024 * 1024;

interface Result {
  readonly status: number;
  readonly body: unknown;
}

const failed = (status: number, ...problems: readonly string[]): Result => ({ status, body: { problems } });

export const isControl = ({ url = '' }: IncomingMessage): boolean =>
  url === PATH || url.startsWith(`${PATH}/`) || url.startsWith(`${PATH}?`);

export async function answerControl(
  control: Control,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await resultOf(control, request).catch((error: unknown) => failed(400, String(error)));
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body, undefined, 2)}\n`);
}

async function resultOf(control: Control, request: IncomingMessage): Promise<Result> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
  const name = pathname.slice(PATH.length + 1);
  const body = await readBody(request, MAX_BODY);
  if (request.method === 'GET') return read(control, name, Object.fromEntries(searchParams));
  const action = ACTION_NAMES.find((each) => each === name);
  if (!action || request.method !== 'POST') return failed(404, `POST ${PATH}/{${ACTION_NAMES.join('|')}}`);
  if (!body) return failed(413, 'body: too large');
  return act(control, action, body.length === 0 ? {} : parseJson(body));
}

function act<Name extends ActionName>(control: Control, name: Name, argument: unknown): Result {
  const problems: string[] = [];
  const isArgument = actionShapes[name];
  if (!isArgument(argument, problems, 'body')) return failed(400, ...problems);
  return { status: 200, body: { result: runAction<Name>(control, { do: name, with: argument }) ?? null } };
}

function read(control: Control, name: string, query: unknown): Result {
  const problems: string[] = [];
  switch (name) {
    case '':
      return { status: 200, body: { ...control.overview(), actions: ACTION_NAMES } };
    case 'requests':
      return { status: 200, body: { requests: control.requests() } };
    case 'backups':
      return backupSelector(query, problems, 'query')
        ? { status: 200, body: { backups: control.backups(query) } }
        : failed(400, ...problems);
    default:
      return failed(404, `GET ${PATH}, ${PATH}/backups, ${PATH}/requests`);
  }
}
