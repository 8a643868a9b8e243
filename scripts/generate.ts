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
// In ESM output ajv still writes `require` for its runtime: https://github.com/ajv-validator/ajv/issues/2209
const validator = standalone
  .default(ajv, { validateRequest: 'request' })
  .replace(
    /const (\w+) = require\("([^"]+)"\)\.default;/g,
    'import $1Module from "$2.js"; const $1 = $1Module.default ?? $1Module;',
  );
if (validator.includes('require(')) throw new Error('the generated validator still uses require()');

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
