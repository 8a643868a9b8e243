/** docs/openapi.yaml, and what it says of an answer. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { fieldsOf, type JsonObject, parseJson } from '../../lib/json.ts';
import { closed } from './closed.ts';

const folder = new URL('../../docs/', import.meta.url);

export const OPENAPI = fieldsOf(parse(readFileSync(new URL('openapi.yaml', folder), 'utf8')));

export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** `POST /backups`. */
export type OperationKey = `${'GET' | 'POST'} /${string}`;

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(Object(closed(OPENAPI)), 'openapi');

/** What a `$ref` within the document points to. */
function resolve(value: unknown): JsonObject {
  const { $ref } = fieldsOf(value);
  if (typeof $ref !== 'string') return fieldsOf(value);
  const parts = $ref.replace('#/', '').split('/');
  return resolve(parts.reduce<unknown>((at, part) => fieldsOf(at)[part], OPENAPI));
}

/** Each operation with the statuses that it documents. */
export function documented(): ReadonlyMap<OperationKey, readonly string[]> {
  const operations = Object.entries(fieldsOf(OPENAPI.paths)).flatMap(([path, item]) =>
    Object.entries(fieldsOf(item))
      .filter(([method]) => ['get', 'post', 'put', 'delete'].includes(method))
      .map(([method, operation]): [OperationKey, string[]] => [
        `${method === 'get' ? 'GET' : 'POST'} ${path.startsWith('/') ? path : '/'}` as OperationKey,
        Object.keys(fieldsOf(fieldsOf(operation).responses)),
      ]),
  );
  return new Map(operations);
}

/** The documented status that an answer falls under: its own, or `4XX`. Undefined where none is documented. */
export const statusKey = (operation: OperationKey, status: number): string | undefined =>
  [String(status), `${Math.floor(status / 100)}XX`].find((key) => documented().get(operation)?.includes(key));

/** What is wrong with an answer, by the document. */
export function problemsOf(operation: OperationKey, { statusCode, headers, text }: Answer): readonly string[] {
  const [method = '', path = ''] = operation.split(' ');
  const { responses } = fieldsOf(fieldsOf(fieldsOf(OPENAPI.paths)[path])[method.toLowerCase()]);
  const key = statusKey(operation, statusCode);
  if (key === undefined) return [`${statusCode} is not documented`];
  const response = resolve(fieldsOf(responses)[key]);
  return [...headerProblems(fieldsOf(response.headers), headers), ...bodyProblems(response, headers, text)];
}

function headerProblems(documentedHeaders: JsonObject, headers: Answer['headers']): readonly string[] {
  const known = new Map(
    Object.entries(documentedHeaders).map(([name, header]) => [name.toLowerCase(), resolve(header)]),
  );
  const unknown = Object.keys(headers).filter((name) => name !== 'content-type' && !known.has(name));
  const wrong = Array.from(known).flatMap(([name, { required, schema }]) => {
    const value = headers[name];
    if (value === undefined) return required === true ? [`header ${name} is missing`] : [];
    const { type } = fieldsOf(schema);
    return failures(schema, type === 'integer' ? Number(value) : value).map((problem) => `header ${name}${problem}`);
  });
  return [...unknown.map((name) => `header ${name} is not documented`), ...wrong];
}

function bodyProblems({ content }: JsonObject, headers: Answer['headers'], text: string): readonly string[] {
  const type = String(headers['content-type']);
  const { schema } = fieldsOf(fieldsOf(content)[type]);
  if (schema === undefined) return [`content type ${type} is not documented`];
  return failures(closed(schema), parseJson(text)).map((problem) => `body${problem}`);
}

/** Every `$ref` of the document is to one of its own parts. */
function failures(schema: unknown, value: unknown): readonly string[] {
  const inDocument: unknown = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
  const validate = ajv.compile(Object(inDocument));
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
