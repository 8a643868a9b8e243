/** What packaging writes, and how to read it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serverless, temporaryService } from './serverless.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown; readonly Condition?: string }>>;
}

export interface Package {
  readonly template: Template;
  /** The template as it is written. */
  readonly text: string;
  /** What packaging said. */
  readonly said: string;
  readonly zips: Readonly<Record<string, ZipEntry[]>>;
}

export async function packageService(args: readonly string[], env: Record<string, string> = {}): Promise<Package> {
  await using service = await temporaryService();
  const { code, output, errors } = await serverless(['package', ...args], { cwd: service.folder, env });
  if (code !== 0) throw new Error(`packaging failed:\n${output}${errors}`);
  const written = join(service.folder, '.serverless');
  const text = await readFile(join(written, 'cloudformation-template-update-stack.json'), 'utf8');
  const zips: Record<string, ZipEntry[]> = {};
  for (const file of await readdir(written)) {
    if (file.endsWith('.zip')) zips[file] = zipEntries(await readFile(join(written, file)));
  }
  return { template: JSON.parse(text), text, said: output + errors, zips };
}

export interface ZipEntry {
  readonly path: string;
  readonly crc32: number;
}

/** The central directory of a zip without comment: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16. */
function zipEntries(zip: Buffer): ZipEntry[] {
  const end = zip.length - 22;
  if (zip.readUInt32LE(end) !== 0x06054b50) throw new Error('no end of central directory where it should be');
  const entries: ZipEntry[] = [];
  let at = zip.readUInt32LE(end + 16);
  while (at < end) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('no central directory header where it should be');
    const path = at + 46 + zip.readUInt16LE(at + 28);
    entries.push({ path: zip.toString('utf8', at + 46, path), crc32: zip.readUInt32LE(at + 16) });
    at = path + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asArray = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** Of the intrinsic functions only those that the template's conditions use. */
export function holds(template: Template, condition: string): boolean {
  const evaluate = (node: unknown): boolean => {
    if (isObject(node) && Array.isArray(node['Fn::Not'])) return !evaluate(node['Fn::Not'][0]);
    if (isObject(node) && Array.isArray(node['Fn::Equals'])) return node['Fn::Equals'][0] === node['Fn::Equals'][1];
    throw new Error(`cannot evaluate ${JSON.stringify(node)}`);
  };
  return evaluate(template.Conditions[condition]);
}

/** The names of all resources and pseudo parameters that a value refers to. */
export function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref') return [String(inner)];
    if (key === 'Fn::GetAtt') return [String(asArray(inner)[0])];
    if (key === 'Fn::Sub') return Array.from(String(inner).matchAll(/\$\{([^}.]+)/g), ([, name = '']) => name);
    return references(inner);
  });
}

export interface Statement {
  readonly Effect: string;
  readonly Action: unknown[];
  readonly Resource: unknown[];
}

/** The statements of every policy document, wherever it stands: of roles, queues and buckets. */
export function statements(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(statements);
  if (!isObject(value)) return [];
  if ('Effect' in value) {
    const { Effect, Action, Resource } = value;
    return [{ Effect: String(Effect), Action: asArray(Action), Resource: asArray(Resource ?? []) }];
  }
  return Object.values(value).flatMap(statements);
}
