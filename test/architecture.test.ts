/** The arrows between the folders of the production code: who may import what, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';
import { isObject } from '../lib/json.ts';

const ROOT = join(import.meta.dirname, '..');

/** A file more has to earn its place: could it be part of another one? */
const MAX_FILES = 60;
const MAX_FILES_IN_FOLDER = 14;

/** Each layer and those that it may import besides itself. */
const LAYERS = {
  'lib/base': [],
  'lib/http': ['lib/base'],
  'lib/otc': ['lib/http', 'lib/base'],
  'lib/dds': ['lib/otc', 'lib/http', 'lib/base'],
  'lib/backup': ['lib/dds', 'lib/otc', 'lib/http', 'lib/base'],
  'lib/service': ['lib/backup', 'lib/dds', 'lib/otc', 'lib/http', 'lib/base'],
  'lib/aws': ['lib/service', 'lib/backup', 'lib/dds', 'lib/otc', 'lib/http', 'lib/base'],
  'lib/functiongraph': ['lib/service', 'lib/backup', 'lib/dds', 'lib/otc', 'lib/http', 'lib/base'],
  functions: ['lib/aws', 'lib/service', 'lib/backup', 'lib/base'],
  'functions/functiongraph': ['lib/functiongraph', 'lib/service', 'lib/backup', 'lib/base'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Layer = keyof typeof LAYERS;

const isLayer = (folder: string): folder is Layer => Object.hasOwn(LAYERS, folder);

/** Files directly in `lib` are the base, of which each is a layer of its own. */
const BASE = ['lib/errors.ts', 'lib/json.ts', 'lib/time.ts'];

/** Packages that only the platforms, and the functions made of them, may import. */
const PLATFORM = /^(@aws-sdk|@aws|@smithy)\/|^(@types\/)?aws-lambda$|^aws4$/;
const PLATFORM_LAYERS: readonly Layer[] = ['lib/aws', 'functions'];
/** What is no function and no service has no use for packages. */
const PACKAGE_LAYERS: readonly Layer[] = [
  'lib/service',
  'lib/aws',
  'lib/functiongraph',
  'functions',
  'functions/functiongraph',
];
const NETWORK = /^(node:)?(http|https|http2|net|tls|dgram)$/;

function layerOf(file: string): Layer | undefined {
  if (BASE.includes(file)) return 'lib/base';
  const folder = dirname(file);
  return isLayer(folder) && folder !== 'lib/base' ? folder : undefined;
}

/** What a source imports: declarations, `export … from`, `import()`, `require()`, and types. */
function importsOf(source: string): readonly string[] {
  const found: string[] = [];
  const keep = (specifier: unknown) =>
    void found.push(
      isObject(specifier) && specifier.type === 'Literal' && typeof specifier.value === 'string'
        ? specifier.value
        : COMPUTED,
    );
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one);
    else if (isObject(node)) {
      const { type, callee } = node;
      if (type === 'ImportExpression' || type === 'TSImportType' || type === 'ImportDeclaration') keep(node.source);
      else if (/^Export(All|Named)Declaration$/.test(String(type)) && node.source) keep(node.source);
      else if (type === 'TSExternalModuleReference') keep(node.expression);
      else if (type === 'CallExpression' && isObject(callee) && callee.name === 'require')
        keep(Array.isArray(node.arguments) ? node.arguments[0] : undefined);
      for (const value of Object.values(node)) visit(value);
    }
  };
  visit(parseAst(source, { lang: 'ts', astType: 'ts' }));
  return found;
}

/** Stands for a specifier that is not a literal. */
const COMPUTED = '(computed)';

/** Why a file must not import what it imports. */
function violations(file: string, source: string): readonly string[] {
  const layer = layerOf(file);
  if (!layer) return [`${file} is in no layer`];
  return importsOf(source).flatMap((specifier) => {
    const problem = problemWith(file, layer, specifier);
    return problem === undefined ? [] : [`${file} → ${specifier}: ${problem}`];
  });
}

function problemWith(file: string, layer: Layer, specifier: string): string | undefined {
  if (specifier === COMPUTED) return 'cannot be checked';
  if (!specifier.startsWith('.')) {
    if (PLATFORM.test(specifier) && !PLATFORM_LAYERS.includes(layer)) return `${layer} knows no platform`;
    if (NETWORK.test(specifier) && layer !== 'lib/http') return 'only lib/http talks to the network';
    return specifier.startsWith('node:') || PACKAGE_LAYERS.includes(layer) ? undefined : `${layer} uses no packages`;
  }
  const target = posix.normalize(posix.join(dirname(file), specifier));
  const imported = layerOf(target);
  if (!imported) return 'not production code';
  const isOwn = imported === layer && layer !== 'lib/base' && !layer.startsWith('functions');
  const allowed: readonly string[] = LAYERS[layer];
  return isOwn || allowed.includes(imported) ? undefined : `${layer} must not import ${imported}`;
}

const productionFiles = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file.replaceAll('\\', '/')))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));

const FILES = [...productionFiles('lib'), ...productionFiles('functions')];

describe('the production code', () => {
  it.each(FILES)('%s → imports along the arrows only', (file) => {
    expect(violations(file, readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  });

  it(`lib → at most ${MAX_FILES} files, at most ${MAX_FILES_IN_FOLDER} in a folder`, () => {
    const files = productionFiles('lib');
    const folders = Object.entries(Object.groupBy(files, (file) => dirname(file)));
    expect(files.length).toBeLessThanOrEqual(MAX_FILES);
    expect(folders.filter(([, inFolder = []]) => inFolder.length > MAX_FILES_IN_FOLDER)).toEqual([]);
  });
});

describe('the check itself', () => {
  it('finds the files', () => {
    expect(FILES).toEqual(expect.arrayContaining(['lib/errors.ts', 'lib/backup/create.ts', 'functions/http.ts']));
  });

  it.each([
    ["import { a } from './b.ts';", './b.ts'],
    ["import './b.ts';", './b.ts'],
    ["import type { A } from './b.ts';", './b.ts'],
    ["import { type A } from './b.ts';", './b.ts'],
    ["import a = require('./b.ts');", './b.ts'],
    ["export * from './b.ts';", './b.ts'],
    ["export type { A } from './b.ts';", './b.ts'],
    ["const a = await import('./b.ts');", './b.ts'],
    ["const a = require('./b.ts');", './b.ts'],
    [`const text = \`\${await import('./b.ts')}\`;`, './b.ts'],
    ["type A = import('./b.ts').A;", './b.ts'],
    ["const a: typeof import('./b.ts') | undefined = undefined;", './b.ts'],
    ["function f(a: Map<string, import('./b.ts').A>) {}", './b.ts'],
    ['const a = await import(name);', '(computed)'],
    [`const a = await import(\`./\${name}.ts\`);`, '(computed)'],
  ])('%s → %s', (source, specifier) => {
    expect(importsOf(source)).toEqual([specifier]);
  });

  it.each([
    "// import './b.ts';",
    'const text = "import \'./b.ts\';";',
    "const pattern = /import '.\\/b.ts'/;",
    'export const a = 1;',
    'const url = new URL(import.meta.url);',
  ])('%s → nothing', (source) => {
    expect(importsOf(source)).toEqual([]);
  });

  it.each([
    ['functions/http.ts', "import { a } from '../lib/aws/platform.ts';"],
    ['functions/http.ts', "import { a } from '../lib/service/http-api.ts';"],
    ['functions/http.ts', "import { a } from '../lib/backup/create.ts';"],
    ['functions/deferred.ts', "import type { A } from '@aws/durable-execution-sdk-js';"],
    ['functions/functiongraph/http.ts', "import { a } from '../../lib/functiongraph/platform.ts';"],
    ['lib/aws/api.ts', "import aws4 from 'aws4';"],
    ['lib/aws/platform.ts', "import { a } from '../service/service.ts';"],
    ['lib/aws/deferred.ts', "import { a } from '../dds/errors.ts';"],
    ['lib/service/middleware.ts', "import middy from '@middy/core';"],
    ['lib/service/credentials.ts', "import type { A } from '../otc/signer.ts';"],
    ['lib/backup/create.ts', "import { a } from './trigger.ts';"],
    ['lib/dds/client.ts', "import { a } from '../errors.ts';"],
    ['lib/http/client.ts', "import * as https from 'node:https';"],
    ['lib/otc/signer.ts', "import { hash } from 'node:crypto';"],
  ])('%s: %s → allowed', (file, source) => {
    expect(violations(file, source)).toEqual([]);
  });

  it.each([
    // Against the arrows.
    ['lib/http/client.ts', "import { a } from '../otc/signer.ts';", 'lib/http must not import lib/otc'],
    ['lib/otc/signer.ts', "import type { A } from '../dds/types.ts';", 'lib/otc must not import lib/dds'],
    ['lib/dds/client.ts', "import type { A } from '../backup/create.ts';", 'lib/dds must not import lib/backup'],
    ['lib/backup/create.ts', "type A = import('../service/log.ts').A;", 'lib/backup must not import lib/service'],
    ['lib/service/log.ts', "const a = await import('../aws/platform.ts');", 'lib/service must not import lib/aws'],
    ['lib/service/log.ts', "export * from '../functiongraph/wait.ts';", 'must not import lib/functiongraph'],
    ['lib/aws/sources.ts', "import '../functiongraph/sources.ts';", 'lib/aws must not import lib/functiongraph'],
    [
      'lib/functiongraph/wait.ts',
      "import { a } from '../aws/sources.ts';",
      'lib/functiongraph must not import lib/aws',
    ],
    ['lib/errors.ts', "import { a } from './time.ts';", 'lib/base must not import lib/base'],
    ['lib/time.ts', "import { a } from './http/client.ts';", 'lib/base must not import lib/http'],
    ['functions/http.ts', "import { a } from '../lib/dds/client.ts';", 'functions must not import lib/dds'],
    ['functions/http.ts', "import { a } from '../lib/functiongraph/wait.ts';", 'must not import lib/functiongraph'],
    ['functions/functiongraph/http.ts', "import { a } from '../../lib/aws/platform.ts';", 'must not import lib/aws'],
    ['functions/http.ts', "import { a } from './invoke.ts';", 'functions must not import functions'],
    ['lib/aws/platform.ts', "import { a } from '../../functions/http.ts';", 'lib/aws must not import functions'],
    // Nothing of ours that is not deployed.
    ['lib/dds/client.ts', "import { a } from '../../emulator/dds/emulator.ts';", 'not production code'],
    ['lib/aws/platform.ts', "import type { A } from '../../test/support/lambda.ts';", 'not production code'],
    ['functions/http.ts', "import { a } from '../scripts/build.ts';", 'not production code'],
    // Platforms and packages.
    ['lib/service/service.ts', "import type { Context } from 'aws-lambda';", 'lib/service knows no platform'],
    ['lib/service/service.ts', "import { a } from '@aws-sdk/client-eventbridge';", 'lib/service knows no platform'],
    ['lib/backup/create.ts', "import type { A } from '@aws/durable-execution-sdk-js';", 'lib/backup knows no platform'],
    ['lib/otc/signer.ts', "import aws4 from 'aws4';", 'lib/otc knows no platform'],
    ['lib/functiongraph/wait.ts', "import type { Context } from 'aws-lambda';", 'lib/functiongraph knows no platform'],
    ['lib/backup/create.ts', "import middy from '@middy/core';", 'lib/backup uses no packages'],
    ['lib/backup/create.ts', "import { get } from 'node:http';", 'only lib/http talks to the network'],
    ['lib/dds/client.ts', 'const a = await import(name);', 'cannot be checked'],
    // Where a new folder belongs has to be said here.
    ['lib/utils/strings.ts', '', 'is in no layer'],
    ['lib/strings.ts', '', 'is in no layer'],
  ])('%s: %s → %s', (file, source, problem) => {
    expect(violations(file, source)).toEqual([expect.stringContaining(problem)]);
  });
});
