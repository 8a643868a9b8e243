/**
 * Checks that a value is of a type, for what comes in as JSON. The compiler sees to it that a guard names every member of
 * its type and checks each for the right one.
 */

/** What is wrong is added to `problems`, with the place `at` which it is. */
export type Guard<T> = (value: unknown, problems: string[], at: string) => value is T;

const guard =
  <T>(expected: string, test: (value: unknown) => value is T): Guard<T> =>
  (value, problems, at): value is T => {
    if (test(value)) return true;
    problems.push(`${at}: ${expected} expected`);
    return false;
  };

export const text: Guard<string> = guard('a string', (value) => typeof value === 'string');
export const number: Guard<number> = guard('a number', (value) => typeof value === 'number');
export const whole = (from: number, to: number): Guard<number> =>
  guard(
    `a whole number from ${from} to ${to}`,
    (value): value is number => typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to,
  );
export const flag: Guard<boolean> = guard('true or false', (value) => typeof value === 'boolean');
export const anything: Guard<unknown> = (value, _problems, _at): value is unknown => value !== undefined;
export const time: Guard<Date | string> = guard(
  'a time',
  (value): value is string => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
);

export const oneOf = <const T extends string | number>(...values: readonly T[]): Guard<T> =>
  guard(values.join(' or '), (value): value is T => values.some((each) => each === value));

export const orNull =
  <T>(inner: Guard<T>): Guard<T | null> =>
  (value, problems, at): value is T | null =>
    value === null || inner(value, problems, at);

export const optional =
  <T>(inner: Guard<T>): Guard<T | undefined> =>
  (value, problems, at): value is T | undefined =>
    value === undefined || inner(value, problems, at);

export const list =
  <T>(inner: Guard<T>): Guard<readonly T[]> =>
  (value, problems, at): value is readonly T[] => {
    if (Array.isArray(value))
      return value.map((item, index) => inner(item, problems, `${at}[${index}]`)).every(Boolean);
    problems.push(`${at}: a list expected`);
    return false;
  };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with any members of one type. */
export const dictionary =
  <T>(inner: Guard<T>): Guard<Readonly<Record<string, T>>> =>
  (value, problems, at): value is Readonly<Record<string, T>> => {
    if (isObject(value))
      return Object.entries(value)
        .map(([name, member]) => inner(member, problems, `${at}.${name}`))
        .every(Boolean);
    problems.push(`${at}: an object expected`);
    return false;
  };

/** A guard for each member; for one that may be missing an `optional` one. */
export type Members<T> = { readonly [Name in keyof Required<T>]: Guard<T[Name]> };

/** An object with these members and no other. */
export const object =
  <T extends object>(members: Members<T>): Guard<T> =>
  (value, problems, at): value is T => {
    if (!isObject(value)) {
      problems.push(`${at}: an object expected`);
      return false;
    }
    const before = problems.length;
    for (const name of Object.keys(value)) if (!Object.hasOwn(members, name)) problems.push(`${at}: unknown: ${name}`);
    for (const name in members) members[name](value[name], problems, `${at}.${name}`);
    return problems.length === before;
  };
