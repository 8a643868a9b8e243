import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { type Ending, eventWith, FUNCTIONS, startBundles } from './support/bundles.ts';
import { type Smn, startSmn } from './support/functiongraph.ts';
import { startTriggers, TRIGGERS } from './support/functiongraph-bundles.ts';
import { logLines } from './support/log-lines.ts';

const instance_id = DEMO_INSTANCE.id;
const name = 'before-migration';

const ENTRIES = [...FUNCTIONS, ...TRIGGERS] as const;
const OVER_HTTP: readonly string[] = ['http', 'APIG'];

let emulator: Emulator;
let smn: Smn;
let triggers: Awaited<ReturnType<typeof startTriggers>>;
let deliver: (to: (typeof ENTRIES)[number], request: unknown) => Promise<Ending>;
beforeAll(async () => {
  emulator = await startEmulator({ backupMillis: 0 });
  smn = await startSmn();
  const bundles = await startBundles(emulator);
  triggers = await startTriggers(emulator, smn);
  deliver = (to, request) => {
    const name = FUNCTIONS.find((each) => each === to);
    if (name !== undefined) return bundles[name](eventWith[name](request));
    return triggers.deliver(TRIGGERS.find((each) => each === to) ?? 'APIG', request);
  };
});
afterAll(async () => {
  await triggers[Symbol.asyncDispose]();
  await smn.close();
  await emulator.close();
});
logLines();

const backup = (fields: object) => ({ backup: { instance_id, name, ...fields } });
const prefixed = (fields: object) => ({ backup: { instance_id, name_prefix: 'nightly', ...fields } });
const without = (field: 'instance_id' | 'name') => {
  const { [field]: _, ...rest } = backup({}).backup;
  return { backup: rest };
};

const NOT_TEXT = [null, 7, true, [], {}, [name]];
const NO_NAME = ['', '1abc', '-abc', '_abc', 'a b c', 'abc!', 'abcä', 'abc.', 'abc/', 'abc\n', 'abc\u0000', 'ABC😀'];

/** For every rule of the request: what breaks it, and the field that the answer must name. */
const VIOLATIONS: readonly (readonly [what: string, field: string, request: unknown])[] = [
  ...[null, 7, true, 'text', [], [backup({})]].map(
    (request) => [`a request that is ${JSON.stringify(request)?.slice(0, 20)}`, '', request] as const,
  ),
  ['no backup', '/backup', {}],
  ...[null, 7, 'text', []].map(
    (value) => [`a backup that is ${JSON.stringify(value)}`, '/backup', { backup: value }] as const,
  ),
  ...[null, 7, '', '2026-03-01', '2026-03-01T12:00:00', '2026-02-30T12:00:00Z', 'tomorrow'].map(
    (value) => [`not_after ${JSON.stringify(value)}`, '/not_after', { ...backup({}), not_after: value }] as const,
  ),
  ['not_after inside backup', '/backup/not_after', backup({ not_after: '2999-01-01T00:00:00Z' })],
  ['a field beside backup', '/restore', { ...backup({}), restore: true }],
  ['a field that is not known', '/backup/Name', backup({ Name: name })],
  ['a field that only the answer has', '/backup/backup_id', backup({ backup_id: 'x' })],
  ['a field whose name needs escaping', '/backup/a~1b~0c', backup({ 'a/b~c': 1 })],

  ['no instance_id', '/backup/instance_id', without('instance_id')],
  ...NOT_TEXT.map(
    (value) => [`instance_id ${JSON.stringify(value)}`, '/backup/instance_id', backup({ instance_id: value })] as const,
  ),
  ...['', 'x'.repeat(65), 'a b', 'a_b', 'a/b', '../b', 'ä', 'a\n'].map(
    (value) =>
      [
        `instance_id ${JSON.stringify(value).slice(0, 20)}`,
        '/backup/instance_id',
        backup({ instance_id: value }),
      ] as const,
  ),

  ['neither name nor name_prefix', '/backup', without('name')],
  ['both name and name_prefix', '/backup', backup({ name_prefix: 'nightly' })],
  ...NOT_TEXT.map((value) => [`name ${JSON.stringify(value)}`, '/backup/name', backup({ name: value })] as const),
  ...[...NO_NAME, 'abc', 'x'.repeat(65)].map(
    (value) => [`name ${JSON.stringify(value).slice(0, 20)}`, '/backup/name', backup({ name: value })] as const,
  ),
  ...NOT_TEXT.map(
    (value) =>
      [`name_prefix ${JSON.stringify(value)}`, '/backup/name_prefix', prefixed({ name_prefix: value })] as const,
  ),
  ...[...NO_NAME, 'x'.repeat(31)].map(
    (value) =>
      [
        `name_prefix ${JSON.stringify(value).slice(0, 20)}`,
        '/backup/name_prefix',
        prefixed({ name_prefix: value }),
      ] as const,
  ),

  ...NOT_TEXT.map(
    (value) => [`description ${JSON.stringify(value)}`, '/backup/description', backup({ description: value })] as const,
  ),
  ...[...'\r>!<"&\'='].map(
    (char) =>
      [
        `description with ${JSON.stringify(char)}`,
        '/backup/description',
        backup({ description: `before ${char} after` }),
      ] as const,
  ),
  ['a description of 257 characters', '/backup/description', backup({ description: 'x'.repeat(257) })],
  ['a description of 257 characters outside the BMP', '/backup/description', backup({ description: '😀'.repeat(257) })],
  ['a description that is huge', '/backup/description', backup({ description: 'x'.repeat(60_000) })],
];

const VALID: readonly (readonly [
  what: string,
  request: { backup: { description?: string; name?: string; name_prefix?: string }; not_after?: string },
])[] = [
  ['an instance_id of 1 character', backup({ instance_id: 'x' })],
  ['an instance_id of 64 characters', backup({ instance_id: 'x'.repeat(64) })],
  ['a name of 4 characters', backup({ name: 'a-_9' })],
  ['a name of 64 characters', backup({ name: 'A'.repeat(64) })],
  ['a name_prefix of 1 character', prefixed({ name_prefix: 'a' })],
  ['a name_prefix of 30 characters', prefixed({ name_prefix: 'A'.repeat(30) })],
  ['an empty description', backup({ name: 'empty-description', description: '' })],
  ['a description of 256 characters', backup({ name: 'long-description', description: '😀'.repeat(256) })],
  [
    'a description with everything that is allowed',
    backup({ name: 'any-description', description: 'ä\n\t`~@#$%^*()_+-[]{}|\\;:,.?/' }),
  ],
  ['not_after', { ...backup({ name: 'in-time' }), not_after: '2999-01-01T00:00:00.5+01:00' }],
];

/** The field that is named first where a payload also has the id. */
function namedBy(entry: string, request: unknown): string | undefined {
  const isList = Array.isArray(request);
  // Id and time are taken out of the payload: what is left of a list is an object.
  if (entry === 'invoke' && isList) return '/backup';
  return entry === 'direct call' && (isList || typeof request !== 'object' || request === null) ? '/id' : undefined;
}

describe.each(ENTRIES)('%s', (entry) => {
  afterEach(() => emulator.faults.clear());

  it.each(VIOLATIONS)('%s → refused by the name of the field, and DDS is not asked', async (_, field, request) => {
    const before = emulator.requests.length;
    const { status, body, error } = await deliver(entry, request);
    if (OVER_HTTP.includes(entry)) {
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error_code: 'InvalidRequest',
        reason: 'InvalidRequest',
        details: expect.arrayContaining([{ path: field, message: expect.any(String) }]),
      });
    } else {
      const named = namedBy(entry, request) ?? (field || '/');
      expect(error).toMatchObject({ name: 'InvalidRequest', message: expect.stringContaining(`${named} `) });
    }
    expect(emulator.requests).toHaveLength(before);
  });

  it.each(VALID)('%s → sent to DDS as it is', async (_, request) => {
    const before = emulator.requests.length;
    emulator.faults.next({ kind: 'json', body: { job_id: 'j', backup_id: 'b' } });
    const { status, body, error } = await deliver(entry, request);
    expect(error).toBeUndefined();
    expect(status ?? 200).toBe(200);
    expect(body).toEqual({ job_id: 'j', backup_id: 'b' });
    expect(emulator.requests).toHaveLength(before + 1);
    const sent = emulator.requests.at(-1)?.body;
    expect(sent).toMatchObject({ backup: { name: request.backup.name ?? expect.any(String) } });
    expect(Object.keys((sent as typeof request).backup).sort()).toEqual(
      ['instance_id', 'name', ...('description' in request.backup ? ['description'] : [])].sort(),
    );
  });
});
