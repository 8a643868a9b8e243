/** Bundles each function into one minified ESM file, `dist/{function}.mjs`. */
import { writeFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { build, type Plugin } from 'esbuild';

/** @middy/util wants node:http for its status texts alone, and the ESM facade of node:http costs 20 ms of a cold start. */
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

const { metafile } = await build({
  entryPoints: ['functions/http.ts', 'functions/event-bus.ts', 'functions/invoke.ts', 'functions/watch.ts'],
  // Lambda's runtime has it.
  external: ['@aws-sdk/*'],
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  metafile: true,
  plugins: [statusTexts],
});
await writeFile('dist/meta.json', JSON.stringify(metafile));

for (const [file, { bytes }] of Object.entries(metafile.outputs))
  console.log(`${file} ${(bytes / 1024).toFixed(1)} kB`);
