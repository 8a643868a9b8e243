/** Checks a Terraform module without its providers: arguments against their table, and every reference. */
import { getReferencesInExpression, parse } from '@cdktf/hcl2json';
import { fieldsOf, isObject, type JsonObject } from '../../lib/json.ts';
import { type Block, DATA, RESOURCES } from './terraform-arguments.ts';

/** Texts by the names of files. */
export type Files = Readonly<Record<string, string>>;

export interface Module {
  /** By type and name. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly data: ReadonlyMap<string, Resource>;
  readonly locals: JsonObject;
  readonly variables: JsonObject;
  readonly outputs: JsonObject;
}

export interface Resource {
  readonly type: string;
  readonly name: string;
  readonly body: JsonObject;
}

const META = ['count', 'for_each', 'depends_on', 'lifecycle', 'provider'];

export async function readModule(files: Files): Promise<Module> {
  const parsed: JsonObject[] = [];
  for (const [file, text] of Object.entries(files)) parsed.push(fieldsOf(await parse(file, text)));
  const blocks = (kind: string) => parsed.map((file) => fieldsOf(file[kind]));
  const resourcesOf = (kind: string): ReadonlyMap<string, Resource> =>
    new Map(
      blocks(kind)
        .flatMap((types) => Object.entries(types))
        .flatMap(([type, named]) =>
          Object.entries(fieldsOf(named)).map(([name, body]) => [`${type}.${name}`, { type, name, body: first(body) }]),
        ),
    );
  const merged = (objects: readonly JsonObject[]): JsonObject => Object.assign({}, ...objects);
  return {
    resources: resourcesOf('resource'),
    data: resourcesOf('data'),
    locals: merged(parsed.flatMap(({ locals }) => (Array.isArray(locals) ? locals.map(fieldsOf) : []))),
    variables: merged(blocks('variable')),
    outputs: merged(blocks('output')),
  };
}

/** Blocks come as lists. */
const first = (body: unknown): JsonObject => fieldsOf(Array.isArray(body) ? body[0] : body);

/** What is wrong with a module. */
export async function problemsIn(module: Module): Promise<readonly string[]> {
  const all = [
    ...Array.from(module.resources.values(), (resource) => ({ resource, table: RESOURCES, at: '' })),
    ...Array.from(module.data.values(), (resource) => ({ resource, table: DATA, at: 'data.' })),
  ];
  const problems = all.flatMap(({ resource: { type, name, body }, table, at }) => {
    const block = table[type];
    const path = `${at}${type}.${name}`;
    return block ? problemsInBlock(path, body, block, META) : [`${path}: the type is not in the table`];
  });
  const sites = [
    ...all.map(({ resource, at }) => ({ at: `${at}${resource.type}.${resource.name}`, value: resource.body })),
    { at: 'locals', value: module.locals },
    { at: 'outputs', value: module.outputs },
  ];
  const used = new Set<string>();
  for (const { at, value } of sites)
    for (const reference of await referencesIn(value)) {
      used.add(reference.split('.').slice(0, 2).join('.'));
      const problem = problemWith(reference, module, 'for_each' in value);
      if (problem) problems.push(`${at}: ${reference}: ${problem}`);
    }
  for (const name of Object.keys(module.variables))
    if (!used.has(`var.${name}`)) problems.push(`var.${name} is not used`);
  for (const name of Object.keys(module.locals))
    if (!used.has(`local.${name}`)) problems.push(`local.${name} is not used`);
  return problems;
}

function problemsInBlock(path: string, body: JsonObject, block: Block, more: readonly string[] = []): string[] {
  const { required, optional, blocks = {} } = block;
  const known = [...required, ...optional, ...more, ...Object.keys(blocks)];
  const unknown = Object.keys(body).filter((key) => !known.includes(key));
  const needed = [...required, ...Object.keys(blocks).filter((name) => blocks[name]?.isRequired)];
  const missing = needed.filter((key) => !(key in body));
  const nested = Object.entries(blocks).flatMap(([name, inner]) =>
    [body[name] ?? []].flat().flatMap((one) => problemsInBlock(`${path}.${name}`, fieldsOf(one), inner)),
  );
  return [
    ...unknown.map((key) => `${path}: ${key} is not an argument`),
    ...missing.map((key) => `${path}: ${key} is missing`),
    ...nested,
  ];
}

/** Every reference in a value, those within `jsonencode` and other functions too. */
async function referencesIn(value: unknown): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (one: unknown): Promise<void> => {
    if (typeof one === 'string' && one.includes('${')) {
      if (one.includes('each.key')) found.push('each.key');
      // The parser drops what follows an index that is not a constant.
      const text = one.replaceAll('[each.key]', '["each.key"]');
      for (const reference of await getReferencesInExpression('module', text)) found.push(reference.value);
    } else if (isObject(one)) for (const inner of Object.values(one)) await visit(inner);
  };
  await visit(value);
  return found;
}

function problemWith(reference: string, module: Module, isRepeated: boolean): string | undefined {
  const parts = reference.match(/"[^"]*"|[^.]+/g) ?? [];
  const [root = '', second = ''] = parts;
  switch (root) {
    case 'var':
      return second in module.variables ? undefined : 'no such variable';
    case 'local':
      return second in module.locals ? undefined : 'no such local value';
    case 'path':
      return second === 'module' ? undefined : 'no such path';
    case 'each':
      return isRepeated && ['key', 'value'].includes(second) ? undefined : 'there is no for_each';
    case 'data':
      return problemWithAttribute(parts.slice(1), module.data, DATA);
    default:
      return problemWithAttribute(parts, module.resources, RESOURCES);
  }
}

function problemWithAttribute(
  [type = '', name = '', ...rest]: readonly string[],
  declared: ReadonlyMap<string, Resource>,
  table: Readonly<Record<string, Block>>,
): string | undefined {
  const resource = declared.get(`${type}.${name}`);
  const block = table[type];
  if (!resource || !block) return 'no such resource';
  const [selector = '', ...others] = rest;
  const isSelected = /^(\d+|"[^"]*")$/.test(selector);
  const isMany = 'count' in resource.body || 'for_each' in resource.body;
  if (isMany !== isSelected && rest.length > 0) return isMany ? 'an index is missing' : 'there is one only';
  const attribute = isSelected ? others[0] : selector;
  const { required, optional, attributes = [] } = block;
  const known = ['id', ...required, ...optional, ...attributes];
  return attribute === undefined || attribute === '' || known.includes(attribute) ? undefined : 'no such attribute';
}
