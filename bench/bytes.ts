/** 1. How large each bundle is, and what it is made of, from esbuild's metafile. */
import { readFile, stat } from 'node:fs/promises';
import type { Metafile } from 'esbuild';
import { bundlePath } from './harness/processes.ts';
import type { Item, Row } from './harness/report.ts';

export interface BytesOptions {
  readonly ours: readonly ['http', 'event-bus', 'invoke'];
  /** A bundle of the usual way, for comparison. */
  readonly beside: string;
  /** Each of `ours`. */
  readonly atMostKilobytes: number;
}

/** What a file in a bundle counts as. */
const PARTS: readonly (readonly [name: string, paths: RegExp])[] = [
  ['middy', /node_modules\/@middy\/|^status-texts/],
  ['validator', /validate-request\.cjs$|node_modules\/ajv\//],
  ['aws4', /node_modules\/aws4\//],
  ['lib/aws', /^(lib\/aws|functions)\//],
  ['lib/service', /^lib\/service\//],
  ['lib/backup', /^lib\/backup\//],
  ['lib/dds', /^lib\/dds\//],
  ['lib/otc', /^lib\/otc\//],
  ['lib/http', /^lib\/http\//],
  ['lib/*.ts', /^lib\/[^/]+$/],
];

const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);

export async function bytes({ ours, beside, atMostKilobytes }: BytesOptions): Promise<Item> {
  const { outputs }: Metafile = JSON.parse(await readFile(bundlePath('meta.json'), 'utf8'));
  const sizes = Object.fromEntries(ours.map((name) => [name, outputs[`dist/${name}.mjs`]?.bytes ?? Number.NaN]));

  const composition = ours.map((name): Row => {
    const inputs = Object.entries(outputs[`dist/${name}.mjs`]?.inputs ?? {});
    const sum = (belongs: (path: string) => boolean) =>
      inputs.reduce((total, [path, { bytesInOutput }]) => total + (belongs(path) ? bytesInOutput : 0), 0);
    const partOf = (path: string) => PARTS.find(([, paths]) => paths.test(path))?.[0];
    const parts = PARTS.map(([part]) => [part, kilobytes(sum((path) => partOf(path) === part))] as const);
    return {
      name,
      'kB minified': kilobytes(sizes[name] ?? Number.NaN),
      ...Object.fromEntries(parts),
      rest: kilobytes((sizes[name] ?? Number.NaN) - sum((path) => partOf(path) !== undefined)),
    };
  });

  const { size } = await stat(bundlePath(beside));
  return {
    title: 'Bytes',
    notes: ['kB: 1024 bytes. rest: what esbuild puts between the files.'],
    rows: [...composition, { name: '(c) usual http', 'kB minified': kilobytes(size) }],
    targets: ours.map((name) => ({
      name: `${name}, minified`,
      value: (sizes[name] ?? Number.NaN) / 1024,
      unit: ' kB',
      atMost: atMostKilobytes,
      advice: 'See above which part grew. Load it when it is first needed, or leave it out.',
    })),
  };
}
