/** Compiles `request.schema.json` into the validator and the TypeScript type that come from it. */
import { readFile, writeFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';

const folder = new URL('../lib/backup/', import.meta.url);
const banner = '// Generated from request.schema.json by `npm run generate`.\n';

const schema = await readFile(new URL('request.schema.json', folder), 'utf8');

// Compiling when a function starts would cost about 50 ms of every cold start.
// `strictRequired` would have each branch of `oneOf` repeat the properties that it requires.
// `messages`: lib/backup/request.ts words what is wrong; the sentences of ajv would be in every bundle.
const ajv = new Ajv({ strict: true, strictRequired: false, allErrors: true, messages: false, code: { source: true } });
const validator = standalone.default(ajv, ajv.compile(JSON.parse(schema)));

const types = `import type { ErrorObject } from 'ajv';
import type { FromSchema } from 'json-schema-to-ts';

declare const validate: {
  (data: unknown): data is validate.BackupRequest;
  errors?: readonly ErrorObject[] | null;
};
declare namespace validate {
  export type BackupRequest = FromSchema<${schema.trim()}>;
}
export = validate;
`;

await writeFile(new URL('validate-request.cjs', folder), banner + validator);
await writeFile(new URL('validate-request.d.cts', folder), banner + types);
