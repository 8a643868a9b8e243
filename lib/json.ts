/** JSON values of unknown shape. */

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null;

/** The fields of an object; none of anything else. */
export const fieldsOf = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** A text, a number or a truth value as text; an empty one of anything else, which may not even be printable. */
export const textOf = (value: unknown): string => (isObject(value) ? '' : String(value ?? ''));

/** The fields that are texts. */
export const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fieldsOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

/** The same under lower-case names. */
export const lowerCased = (texts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([name, value]) => [name.toLowerCase(), value]));

/** Undefined for text that is not JSON. The parser's error is dropped: it quotes the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
