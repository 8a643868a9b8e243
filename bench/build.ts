/** Bundles contenders and probes as the functions are, into `dist/bench/`, so that no figure includes the cost of TypeScript. */
import { copyFile } from 'node:fs/promises';
import { type BuildOptions, build } from 'esbuild';

const options = {
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outdir: 'dist/bench',
  entryNames: '[name]',
  outExtension: { '.js': '.mjs' },
} as const satisfies BuildOptions;

await build({
  ...options,
  entryPoints: ['empty', 'built-ins', 'bare-post'].map((name) => `bench/contenders/${name}.ts`),
});

// The official SDK is CommonJS and calls `require`, which an ES module has to create.
const js = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
await build({
  ...options,
  entryPoints: ['bench/contenders/usual-*.ts', 'bench/probes/sign.ts'],
  banner: { js },
});

await build({
  ...options,
  entryPoints: ['cold', 'warm', 'concurrent', 'heap', 'replay', 'monitor', 'do-nothing-server', 'emulator'].map(
    (name) => `bench/probes/${name}.ts`,
  ),
});

// The emulator reads its page from beside itself.
await copyFile('emulator/dds/page.html', 'dist/bench/page.html');
