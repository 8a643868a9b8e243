import { Ajv, type ErrorObject } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import schema from './request.schema.json' with { type: 'json' };
import { validateRequest } from './validate-request.js';

/** What ajv itself makes of the schema, nothing of it rewritten. */
const byAjv = new Ajv({ allErrors: true, strictRequired: false }).compile(schema);

const text = fc.oneof(
  fc.string({ maxLength: 70 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,70}$/),
  fc.stringMatching(/^[A-Za-z0-9-]{0,66}$/),
  // Of one code point each, two UTF-16 units: the limits are of the former.
  fc.integer({ min: 120, max: 260 }).map((length) => '\u{1f4be}'.repeat(length)),
  fc.constantFrom('__proto__', 'constructor', 'a/b~c', ''),
);
const value = fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue() });
const backup = fc
  .tuple(
    fc.record({ instance_id: value, name: value, name_prefix: value, description: value }, { requiredKeys: [] }),
    fc.dictionary(text, value, { maxKeys: 2 }),
  )
  .map(([fields, others]) => ({ ...others, ...fields }));
const request = fc.oneof(
  { weight: 6, arbitrary: fc.record({ backup }) },
  { weight: 1, arbitrary: fc.record({ backup: value }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.dictionary(text, backup, { maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** Where and by which rule, in the order in which ajv finds it; what a branch of `oneOf` misses is not told. */
const told = (errors: readonly ErrorObject[] | null | undefined) =>
  (errors ?? [])
    .filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'))
    .map(({ instancePath, params }) => {
      const field = params.missingProperty ?? params.additionalProperty;
      const escaped = (name: string) => name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
      return field === undefined ? instancePath : `${instancePath}/${escaped(field)}`;
    });

describe('the validator', () => {
  it('finds what ajv finds, in any request', () => {
    let valid = 0;
    fc.assert(
      fc.property(request, (request) => {
        const isValid = validateRequest(request);
        valid += Number(isValid);
        expect(isValid).toBe(byAjv(request));
        expect((validateRequest.errors ?? []).map(({ path }) => path)).toEqual(told(byAjv.errors));
      }),
      { numRuns: 5000 },
    );
    expect(valid).toBeGreaterThan(0);
  });

  it('words every rule', () => {
    const wrong = {
      backup: { name: '1b', name_prefix: 'p'.repeat(35), description: 7, instance_id: 'i'.repeat(65), size: 1 },
      more: 1,
    };
    expect(validateRequest(wrong)).toBe(false);
    expect(validateRequest.errors).toEqual([
      { path: '/more', message: 'is not a known field' },
      { path: '/backup', message: 'must have name or name_prefix, and not both' },
      { path: '/backup/size', message: 'is not a known field' },
      { path: '/backup/instance_id', message: 'must have at most 64 characters' },
      { path: '/backup/name', message: 'must have at least 4 characters' },
      { path: '/backup/name', message: 'must match ^[A-Za-z][A-Za-z0-9_-]*$' },
      { path: '/backup/name_prefix', message: 'must have at most 34 characters' },
      { path: '/backup/description', message: 'must be of type string' },
    ]);
  });

  it('keeps nothing of one request for the next', () => {
    expect(validateRequest({})).toBe(false);
    expect(validateRequest({ backup: { instance_id: 'i', name: 'nightly' } })).toBe(true);
    expect(validateRequest.errors).toBeNull();
  });
});
