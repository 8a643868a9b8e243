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

/** What is wrong, in the words of the request: where, and what it must be. `value` is JavaScript, a literal or a name. */
function violation(keyword: string, pointer: string, value: string): readonly [path: string, message: string] {
  const path = JSON.stringify(pointer);
  const literal = () => JSON.parse(value);
  switch (keyword) {
    case 'required':
      return [JSON.stringify(`${pointer}/${literal()}`), 'is required'];
    case 'additionalProperties':
      return [`${JSON.stringify(`${pointer}/`)} + escaped(${value})`, 'is not a known field'];
    case 'type':
      return [path, `must be of type ${literal()}`];
    case 'minLength':
      return [path, `must have at least ${literal()} character${literal() === 1 ? '' : 's'}`];
    case 'maxLength':
      return [path, `must have at most ${literal()} characters`];
    case 'pattern':
      return [path, `must match ${literal()}`];
    case 'oneOf':
      return [path, 'must have name or name_prefix, and not both'];
    default:
      throw new Error(`no words for the keyword ${keyword}`);
  }
}

/** How ajv notes one broken rule: eight lines, more than twenty times over. As calls they cost a bundle 3 kB less. */
const NOTED =
  /const (err\d+) = \{instancePath(?::instancePath\+"([^"]+)")?,schemaPath:"([^"]+)",keyword:"(\w+)",params:\{\w+: ?(.*)\}\};\nif\(vErrors === null\)\{\nvErrors = \[\1\];\n\}\nelse \{\nvErrors\.push\(\1\);\n\}/g;
const helpers = `const noted = (violations, path, message) => {
(violations ??= []).push({ path, message });
return violations;
};
// The beginning of a field's name as a part of a JSON pointer, RFC 6901.
const escaped = (field) => field.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
`;
const validator = standalone
  .default(ajv, { validateRequest: 'request' })
  .replace(NOTED, (_, _name, pointer = '', schemaPath: string, keyword: string, value: string) => {
    // What each branch of `oneOf` misses is said once, by `oneOf` itself: here it is counted only.
    if (schemaPath.includes('/oneOf/')) return '';
    const [path, message] = violation(keyword, pointer, value);
    return `vErrors = noted(vErrors, ${path}, ${JSON.stringify(message)});`;
  })
  // Nobody is told which branch of `oneOf` fits.
  .replace(/(let )?passing\d+ = .*;\n/g, '')
  .replace('{instancePath="", parentData, parentDataProperty, rootData=data}={}', '')
  // A string's length in code points. What ajv requires for it counts the same, but as CommonJS it costs a bundle 0.9 kB.
  .replace(
    'require("ajv/dist/runtime/ucs2length").default',
    String.raw`(text) => text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ' ').length`,
  );
if (/require\(|instancePath|schemaPath:/.test(validator))
  throw new Error('ajv generates other code than is expected here');

const types = `import type { FromSchema } from 'json-schema-to-ts';

export type BackupRequest = FromSchema<${schema.trim()}>;

/** One rule that the request breaks: where (a JSON pointer into the request), and what it must be. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

export declare const validateRequest: {
  (data: unknown): data is BackupRequest;
  errors?: readonly Violation[] | null;
};
`;

await writeFile(new URL('validate-request.js', folder), `${banner}${helpers}${validator}`);
await writeFile(new URL('validate-request.d.ts', folder), banner + types);
