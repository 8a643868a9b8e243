/** What platforms share also runs on Node 20.15, the newest that FunctionGraph has. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { derivedName, type Trigger } from '../lib/backup/trigger.ts';

const ROOT = join(import.meta.dirname, '..');
const SHARED = ['lib/backup', 'lib/dds', 'lib/otc', 'lib/http', 'lib/service'];
const ENTRIES = SHARED.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(ROOT, folder, file)),
);

/** Newer than Node 20.15. */
const TOO_NEW = [
  'URL.parse(',
  'getBuiltinModule',
  'Promise.withResolvers',
  'Promise.try(',
  'Array.fromAsync',
  'Object.groupBy',
  'Map.groupBy',
  'Iterator.from',
];

const FORMATS = [
  ['esm', '.mjs'],
  ['cjs', '.cjs'],
] as const;

/** A Node 20 in the PATH, behind that of node_modules/.bin too; else the one that runs this. */
function node20(): string {
  const installed = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  return installed.find((node) => versionOf(node).startsWith('v20.')) ?? process.execPath;
}

function versionOf(node: string): string {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'node20-'));
  for (const [format, extension] of FORMATS)
    await build({
      entryPoints: ENTRIES,
      outdir: join(folder, format),
      outbase: ROOT,
      outExtension: { '.js': extension },
      bundle: true,
      platform: 'node',
      target: 'node20.15',
      format,
      logLevel: 'error',
    });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const outputs = (format: string): readonly string[] =>
  readdirSync(join(folder, format), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]js$/.test(file))
    .map((file) => join(folder, format, file));

/** What a module writes that is run by Node 20. */
const run = (code: string): string =>
  execFileSync(node20(), ['--input-type=module', '--eval', code], { encoding: 'utf8', cwd: folder });

describe.each(FORMATS)('the shared modules as %s', (format, extension) => {
  it('bundles → one for each module', () => {
    expect(outputs(format)).toHaveLength(ENTRIES.length);
  });

  it('text → nothing that Node 20.15 lacks', () => {
    const found = outputs(format).flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return TOO_NEW.filter((api) => text.includes(api)).map((api) => `${file}: ${api}`);
    });
    expect(found).toEqual([]);
  });

  it('import under Node 20 → succeeds', () => {
    const urls = outputs(format).map((file) => pathToFileURL(file).href);
    const code = `for (const url of ${JSON.stringify(urls)}) await import(url); process.stdout.write('done');`;
    expect(run(code)).toBe('done');
  });

  it('name derived under Node 20 → the same as here', () => {
    const trigger: Trigger = { kind: 'invoke', id: 'größer', time: new Date('2026-03-01T12:00:00Z') };
    const url = pathToFileURL(join(folder, format, `lib/backup/trigger${extension}`)).href;
    const code = `
      const { derivedName } = await import(${JSON.stringify(url)});
      const trigger = ${JSON.stringify(trigger)};
      process.stdout.write(derivedName('p', { ...trigger, time: new Date(trigger.time) }, 'i'));`;
    expect(run(code)).toBe(derivedName('p', trigger, 'i'));
  });
});
