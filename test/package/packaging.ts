import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { references, type ZipEntry } from '../cloudformation.ts';
import { arn, FUNCTIONS, given, plain, resource } from './packaged.ts';

const byPath = (a: ZipEntry, b: ZipEntry) => (a.path < b.path ? -1 : 1);

describe('packaging', () => {
  it('needs no account and no parameters, and has nothing to warn of', () => {
    expect(plain.said).toContain('Service packaged');
    expect(plain.said).not.toMatch(/warn|deprecat/i);
  });

  it('writes a template in which every reference leads to a resource that is there whenever its user is', () => {
    const { Resources, Conditions, Outputs } = plain.template;
    for (const [id, user] of [...Object.entries(Resources), ...Object.entries(Outputs)]) {
      for (const name of references(user).filter((name) => !name.startsWith('AWS::'))) {
        expect(Resources, id).toHaveProperty(name);
        const { Condition } = resource(name);
        if (Condition !== undefined) expect(user.Condition, `${id}, which refers to ${name}`).toBe(Condition);
      }
      if (user.Condition !== undefined) expect(Conditions).toHaveProperty(user.Condition);
    }
  });

  it('puts out what other functions call and where failed events wait', () => {
    const { Outputs } = plain.template;
    expect(Outputs.InvokeFunctionArn?.Value).toEqual(arn('InvokeLambdaFunction'));
    expect(Outputs.GivenUpQueueUrl?.Value).toEqual({ Ref: 'GivenUpQueue' });
    expect(Outputs.WatchFailedQueueUrl?.Value).toEqual({ Ref: 'WatchFailedQueue' });
    expect(Outputs.UndeliveredQueueUrl?.Value).toEqual({ Ref: 'UndeliveredQueue' });
  });

  it('takes nothing from the shell that deploys', async () => {
    expect(plain.text).not.toContain('from-the-shell');
    expect(given.text).not.toContain('from-the-shell');
    const files = (await readdir('deployment')).map((file) => `deployment/${file}`);
    for (const file of ['serverless.yml', ...files]) {
      const text = await readFile(file, 'utf8');
      expect(text, file).not.toContain('${env:');
      expect(text, file).not.toContain('HTTP_AUTH');
    }
  });

  it('knows nothing of the emulator', () => {
    expect(plain.text).not.toMatch(/emulator|127\.0\.0\.1|localhost/i);
  });

  it.each(FUNCTIONS)('puts the bundle of $name into its zip and nothing else', async ({ name, bundle }) => {
    const folder = `dist/${dirname(bundle)}`;
    // A bundle in a folder of its own is all of that folder: the chunks that it loads later.
    const files =
      folder === 'dist/.' ? [`dist/${bundle}.mjs`] : (await readdir(folder)).map((file) => `${folder}/${file}`);
    expect(files).toContain(`dist/${bundle}.mjs`);
    const entries = files.map(async (path) => ({ path, crc32: crc32(await readFile(path)) }));
    const zipped = plain.zips[`${name}.zip`] ?? [];
    expect(zipped.toSorted(byPath)).toEqual((await Promise.all(entries)).toSorted(byPath));
    expect(Object.keys(plain.zips)).toHaveLength(FUNCTIONS.length);
  });
});
