/**
 * For AWS, bundles each function into one minified ESM file, `dist/{function}.mjs`; the durable one, whose SDK loads the
 * client of Lambda's API by itself and later, into a folder of chunks, `dist/deferred/`. For FunctionGraph, whose runtime
 * loads functions with `require`, into CommonJS: `dist/functiongraph/{function}.js`.
 */
import { rm, writeFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** @middy/util imports node:http for its status texts only, and its ESM form costs 20 ms of a cold start. */
const statusTexts: Plugin = {
  name: 'status-texts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http$/ }, ({ importer }) =>
      importer.includes('@middy/util') ? { path: 'status-texts', namespace: 'status-texts' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'status-texts' }, () => ({
      contents: `export const STATUS_CODES = ${JSON.stringify({ 400: STATUS_CODES[400], 415: STATUS_CODES[415], 422: STATUS_CODES[422], 500: STATUS_CODES[500] })}`,
    }));
  },
};

const common = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  metafile: true,
  plugins: [statusTexts],
  // aws4 is CommonJS and requires Node's own modules, no others.
  banner: { js: 'const require=process.getBuiltinModule;' },
} as const satisfies BuildOptions;

const single = await build({
  ...common,
  entryPoints: [
    'functions/http.ts',
    'functions/event-bus.ts',
    'functions/invoke.ts',
    'functions/monitor.ts',
    'functions/retention.ts',
    'functions/nightly.ts',
  ],
  outdir: 'dist',
});

await rm('dist/deferred', { recursive: true, force: true });
const durable = await build({
  ...common,
  entryPoints: { index: 'functions/deferred.ts' },
  outdir: 'dist/deferred',
  splitting: true,
  // Of the AWS SDK's two forms only this one leaves out what is not used, and needs no `require`.
  mainFields: ['module', 'main'],
});

const functionGraph = await build({
  ...common,
  entryPoints: ['http', 'event', 'monitor', 'retention'].map((name) => `functions/functiongraph/${name}.ts`),
  outdir: 'dist/functiongraph',
  outExtension: {},
  format: 'cjs',
  target: 'node20.15',
  plugins: [],
  banner: {},
});
// Otherwise Node takes them for ES modules, as the project's own package.json says. The runtime has no such file.
await writeFile('dist/functiongraph/package.json', '{"type":"commonjs"}\n');

const outputs = { ...single.metafile.outputs, ...durable.metafile.outputs };
await writeFile('dist/meta.json', JSON.stringify({ outputs }));

const kilobytes = (files: Metafile['outputs']) =>
  (Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0) / 1024).toFixed(1);
for (const [file, output] of Object.entries({ ...single.metafile.outputs, ...functionGraph.metafile.outputs }))
  console.log(`${file} ${kilobytes({ [file]: output })} kB`);
console.log(`dist/deferred/ ${kilobytes(durable.metafile.outputs)} kB`);
