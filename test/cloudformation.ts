/** Packages the service and reads what packaging writes. */
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
  readonly Outputs: Readonly<
    Record<string, { readonly Value: unknown; readonly Condition?: string; readonly Description?: string }>
  >;
}

export interface Package {
  readonly template: Template;
  /** The template as it is written. */
  readonly text: string;
  /** What packaging printed. */
  readonly output: string;
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
  return { template: JSON.parse(text), text, output: output + errors, zips };
}

export interface ZipEntry {
  readonly path: string;
  readonly crc32: number;
}

/** The central directory of a zip without comment: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16. */
function zipEntries(zip: Buffer): ZipEntry[] {
  const end = zip.length - 22;
  if (zip.readUInt32LE(end) !== 0x06054b50) throw new Error('the zip has no end of central directory at its end');
  const entries: ZipEntry[] = [];
  let at = zip.readUInt32LE(end + 16);
  while (at < end) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error(`the zip has no central directory header at ${at}`);
    const path = at + 46 + zip.readUInt16LE(at + 28);
    entries.push({ path: zip.toString('utf8', at + 46, path), crc32: zip.readUInt32LE(at + 16) });
    at = path + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asArray = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

type Conditions = Pick<Template, 'Conditions'>;

/** Evaluates a condition. It supports only the intrinsic functions that the template's conditions use. */
export function holds(template: Conditions, condition: string): boolean {
  const evaluate = (node: unknown): boolean => {
    if (isObject(node) && Array.isArray(node['Fn::Not'])) return !evaluate(node['Fn::Not'][0]);
    if (isObject(node) && Array.isArray(node['Fn::Or'])) return node['Fn::Or'].some(evaluate);
    if (isObject(node) && Array.isArray(node['Fn::Equals'])) return node['Fn::Equals'][0] === node['Fn::Equals'][1];
    if (isObject(node) && typeof node.Condition === 'string') return holds(template, node.Condition);
    throw new Error(`cannot evaluate ${JSON.stringify(node)}`);
  };
  return evaluate(template.Conditions[condition]);
}

/** A value as a deployment sees it: with one branch of each `Fn::If`, and without what is `AWS::NoValue`. */
export function decided(template: Conditions, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => decided(template, item)).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (value.Ref === 'AWS::NoValue') return undefined;
  if (Array.isArray(value['Fn::If'])) {
    const [condition, yes, no] = value['Fn::If'];
    return decided(template, holds(template, String(condition)) ? yes : no);
  }
  const entries = Object.entries(value).map(([key, inner]) => [key, decided(template, inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

const TRUE = { 'Fn::Equals': ['', ''] };
const FALSE = { 'Fn::Not': [TRUE] };

/** The template for every combination of the conditions that parameters decide, whatever they are here. */
export function variants(template: Template): readonly Template[] {
  const derived = (node: unknown): boolean => JSON.stringify(node).includes('"Condition"');
  return Object.entries(template.Conditions)
    .filter(([, node]) => !derived(node))
    .reduce<readonly Template[]>(
      (all, [name]) =>
        all.flatMap((one) =>
          [TRUE, FALSE].map((value) => ({ ...one, Conditions: { ...one.Conditions, [name]: value } })),
        ),
      [template],
    );
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
  readonly Condition?: unknown;
}

/** The statements of every policy document in a value: of roles, queues and buckets. */
export function statements(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(statements);
  if (!isObject(value)) return [];
  if ('Effect' in value) {
    const { Effect, Action, Resource, Condition } = value;
    return [
      {
        Effect: String(Effect),
        Action: asArray(Action),
        Resource: asArray(Resource ?? []),
        ...(Condition !== undefined && { Condition }),
      },
    ];
  }
  return Object.values(value).flatMap(statements);
}

export interface MetricFilter {
  readonly LogGroupName: { readonly Ref: string };
  readonly FilterPattern: string;
  readonly MetricTransformations: readonly {
    readonly MetricNamespace: string;
    readonly MetricName: string;
    readonly MetricValue: string;
    readonly Unit?: string;
    readonly Dimensions?: readonly { readonly Key: string; readonly Value: string }[];
  }[];
}

export const metricFilters = ({ Resources }: Template): readonly MetricFilter[] =>
  Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::Logs::MetricFilter')
    .map(({ Properties }) => Properties as Readonly<Record<string, unknown>> & MetricFilter);

const TERM = /^\$\.[\w.]+ (=|>=) (?:"([\w.*]+)"|(\d+))$/;

/**
 * Whether CloudWatch's filter pattern for JSON matches a log line. It supports only what the template's patterns use:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function matchesPattern(pattern: string, line: unknown): boolean {
  const [, terms] = /^\{ (.*) \}$/.exec(pattern) ?? [];
  if (terms === undefined || (terms.includes('&&') && terms.includes('||'))) throw new Error(`cannot read ${pattern}`);
  if (terms.includes('||')) return terms.split(' || ').some((term) => matchesTerm(term, line));
  return terms.split(' && ').every((term) => matchesTerm(term, line));
}

function matchesTerm(term: string, line: unknown): boolean {
  const [, operator, text, number] = TERM.exec(term) ?? [];
  const value = valueAt(term.split(' ')[0] ?? '', line);
  if (operator === '=' && text !== undefined) {
    const rule = new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    return typeof value === 'string' && rule.test(value);
  }
  if (operator === undefined || number === undefined) throw new Error(`cannot read ${term}`);
  if (typeof value !== 'number') return false;
  return value === Number(number) || (operator === '>=' && value > Number(number));
}

/** The value at a selector such as `$.message.event`. */
export const valueAt = (selector: string, line: unknown): unknown =>
  selector
    .split('.')
    .slice(1)
    .reduce<unknown>((value, field) => (isObject(value) ? value[field] : undefined), line);
