/** What the DDS API reference allows in a request for a backup, written out once more: the schema is under test. */

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

const consistsOf = (text: string, characters: string): boolean => [...text].every((char) => characters.includes(char));

const hasLength = (text: string, least: number, most: number): boolean =>
  [...text].length >= least && [...text].length <= most;

/** What is wrong with the body of a POST; undefined when nothing is. */
export function problemOf(body: unknown): string | undefined {
  if (!isObject(body) || Object.keys(body).join() !== 'backup') return 'it is not an object with backup only';
  const { backup } = body;
  if (!isObject(backup)) return 'backup is no object';
  const { instance_id, name, description, ...more } = backup;
  if (Object.keys(more).length > 0) return `it has the fields ${Object.keys(more)}`;

  if (typeof instance_id !== 'string' || !hasLength(instance_id, 1, 64)) return 'instance_id is no text of 1 to 64';
  if (!consistsOf(instance_id, `${LETTERS}${DIGITS}-`)) return 'instance_id holds another character';

  if (typeof name !== 'string' || !hasLength(name, 4, 64)) return 'name is no text of 4 to 64';
  if (!LETTERS.includes(name.charAt(0))) return 'name does not begin with a letter';
  if (!consistsOf(name, `${LETTERS}${DIGITS}-_`)) return 'name holds another character';

  if (!('description' in backup)) return undefined;
  if (typeof description !== 'string' || !hasLength(description, 0, 256)) return 'description is no text of up to 256';
  return [...description].some((char) => '>!<"&\'=\r'.includes(char))
    ? 'description holds a forbidden character'
    : undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
