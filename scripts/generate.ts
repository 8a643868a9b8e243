/** Compiles `request.schema.json` into the validator and the TypeScript type that come from it. */
import { readFile, writeFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';

const folder = new URL('../lib/backup/', import.meta.url);
const banner = '// Generated from request.schema.json by `npm run generate`.\n';

const schema = await readFile(new URL('request.schema.json', folder), 'utf8');

// Compiling when a function starts would cost about 100 ms of every cold start.
// `strictRequired` would have each branch of `oneOf` repeat the properties that it requires.
const ajv = new Ajv({
  strict: true,
  strictRequired: false,
  allErrors: true,
  // The answers word what is wrong; ajv's own sentences would ride along in every bundle.
  messages: false,
  code: { source: true, esm: true, lines: true },
});
ajv.addSchema(JSON.parse(schema), 'request');
const validator = standalone
  .default(ajv, { validateRequest: 'request' })
  // A string's length in code points. What ajv requires for it counts the same, but as CommonJS it costs a bundle 0.9 kB.
  .replace('require("ajv/dist/runtime/ucs2length").default', '(text) => [...text].length');
if (validator.includes('require(')) throw new Error('the generated validator requires more of ajv at run time');

const types = `import type { ErrorObject } from 'ajv';
import type { FromSchema } from 'json-schema-to-ts';

export type BackupRequest = FromSchema<${schema.trim()}>;

export declare const validateRequest: {
  (data: unknown): data is BackupRequest;
  errors?: ErrorObject[] | null;
};
`;

await writeFile(new URL('validate-request.js', folder), banner + validator);
await writeFile(new URL('validate-request.d.ts', folder), banner + types);
