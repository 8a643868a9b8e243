/** Arbitrary JSON values, and valid ones with something wrong. */
import fc, { type Arbitrary } from 'fast-check';

const STRANGE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  '',
  'backup',
  'length',
];
const STRANGE_TEXTS = [
  '',
  ' ',
  '\0',
  '\r\n',
  'null',
  '__proto__',
  '../..',
  '\ud800',
  '\u202e',
  '😀',
  'ä'.repeat(300),
  'x'.repeat(70_000),
];
const STRANGE_NUMBERS = [0, -0, -1, 1e308, Number.MIN_VALUE, 2 ** 53, 0.1];

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constantFrom(...STRANGE_TEXTS));
const key = fc.oneof(fc.string({ maxLength: 10 }), fc.constantFrom(...STRANGE_KEYS));

/** An object whose members are its own whatever their names, as JSON.parse makes it of `__proto__`. */
const objectOf = (members: readonly (readonly [string, unknown])[]): object => {
  const made = {};
  for (const [name, value] of members)
    Object.defineProperty(made, name, { value, enumerable: true, writable: true, configurable: true });
  return made;
};

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(null, true, false, ...STRANGE_NUMBERS),
    fc.double(),
    text,
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('tree')), { maxLength: 5 }).map(objectOf),
  ),
}));

/** Nested `depth` times. */
const nested = (depth: number, asArray: boolean): unknown => {
  let value: unknown = 'core';
  for (let level = 0; level < depth; level++) value = asArray ? [value] : { backup: value };
  return value;
};

/** Many members, or many elements. */
const wide = (count: number, asArray: boolean): unknown =>
  asArray
    ? Array(count).fill(0)
    : Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, index]));

export const anything: Arbitrary<unknown> = fc.oneof(
  { weight: 20, arbitrary: tree },
  { weight: 1, arbitrary: fc.tuple(fc.nat(3000), fc.boolean()).map(([depth, asArray]) => nested(depth, asArray)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(3000), fc.boolean()).map(([count, asArray]) => wide(count, asArray)) },
);

type Path = readonly string[];

/** An event is at most so deep. */
const MAX_DEPTH = 6;

function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null || path.length === MAX_DEPTH) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => pathsIn(member, [...path, name]))];
}

/** A copy with what stands at `path` changed; members that `change` makes undefined are left out. */
function changed(value: unknown, [name, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  const members = Object.entries(Object(value)).map(
    ([member, inner]) => [member, member === name ? changed(inner, rest, change) : inner] as const,
  );
  return objectOf(members.filter(([, inner]) => inner !== undefined));
}

/** One thing wrong at any place: another value, a member that is missing, or one too many. */
export const broken = (valid: Arbitrary<unknown>): Arbitrary<unknown> =>
  fc
    .tuple(valid, fc.nat(), fc.constantFrom('replaced', 'missing', 'extra'), key, anything)
    .map(([value, place, how, name, other]) => {
      const paths = pathsIn(value);
      return changed(value, paths[place % paths.length] ?? [], (there) => {
        if (how === 'missing') return undefined;
        if (how === 'replaced' || typeof there !== 'object' || there === null) return other;
        return objectOf([...Object.entries(there), [name, other]]);
      });
    });

/** Valid, nearly valid, and neither. */
export const around = (valid: Arbitrary<unknown>): Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: valid },
    { weight: 4, arbitrary: broken(valid) },
    { weight: 1, arbitrary: broken(broken(valid)) },
    { weight: 1, arbitrary: anything },
  );
