import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decided, holds, references, variants, type ZipEntry } from '../cloudformation.ts';
import { arn, FUNCTIONS, given, mailed, plain, properties } from './packaged.ts';

/** Outputs of the framework without a description. */
const FRAMEWORKS_OWN = /^ServerlessDeploymentBucketName$/;

const byPath = (a: ZipEntry, b: ZipEntry) => (a.path < b.path ? -1 : 1);

describe('packaging', () => {
  it('no account, no parameters → packages without a warning', () => {
    expect(plain.output).toContain('Service packaged');
    expect(plain.output).not.toMatch(/warn|deprecat/i);
    expect(given.output).not.toMatch(/warn|deprecat/i);
    expect(mailed.output).not.toMatch(/warn|deprecat/i);
  });

  it('no layer, and nothing that must be filled in', () => {
    expect(given.text).not.toMatch(/"Layers"|:layer:|PARAMETERS_SECRETS_EXTENSION/);
    expect(plain.text).not.toMatch(/<(region|account|version)>/);
  });

  it('template: far from the limit of 1 MB', () => {
    expect(given.text.length).toBeLessThan(200_000);
  });

  it('deployment bucket: blocks public access, denies access without TLS', () => {
    expect(properties('ServerlessDeploymentBucket')).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    expect(properties('ServerlessDeploymentBucketPolicy')).toMatchObject({
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Principal: '*', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': false } } },
        ],
      },
    });
  });

  it('references: whatever the parameters, each → a resource that is created', () => {
    const { Resources, Outputs } = plain.template;
    const all = variants(plain.template);
    // Webhooks, nightly, retention, the bus, and two conditions of the topic.
    expect(all).toHaveLength(2 ** 6);
    for (const template of all) {
      const isCreated = ({ Condition }: { Condition?: string }) =>
        Condition === undefined || holds(template, Condition);
      const created = new Set(Object.keys(Resources).filter((id) => isCreated(Resources[id] ?? {})));
      const users = Object.entries({ ...Resources, ...Outputs }).filter(([, user]) => isCreated(user));
      const missing = users.flatMap(([id, user]) =>
        references(decided(template, user))
          .filter((name) => !name.startsWith('AWS::') && !created.has(name))
          .map((name) => `${id} → ${name}`),
      );
      expect(missing, JSON.stringify(template.Conditions)).toEqual([]);
    }
  });

  it('outputs: the function to call, and the queues', () => {
    const { Outputs } = plain.template;
    expect(Outputs.InvokeFunctionArn?.Value).toEqual(arn('InvokeLambdaFunction'));
    expect(Outputs.FailedRequestsQueueUrl?.Value).toEqual({ Ref: 'FailedRequestsQueue' });
    expect(Outputs.FailedRunsQueueUrl?.Value).toEqual({ Ref: 'FailedRunsQueue' });
    expect(Outputs.FailedNightsQueueUrl?.Value).toEqual({ Ref: 'FailedNightsQueue' });
    expect(Outputs.FailedRetentionQueueUrl?.Value).toEqual({ Ref: 'FailedRetentionQueue' });
    expect(Outputs.UndeliveredEventsQueueUrl?.Value).toEqual({ Ref: 'UndeliveredEventsQueue' });
    expect(Outputs).toHaveProperty('HttpApiUrl');
    expect(Outputs).toHaveProperty('DashboardUrl');
    for (const [name, { Description }] of Object.entries(Outputs))
      if (!FRAMEWORKS_OWN.test(name)) expect(Description, name).toMatch(/^[A-Z]/);
  });

  it('variables of the shell → not in the template', async () => {
    expect(plain.text).not.toContain('from-the-shell');
    expect(given.text).not.toContain('from-the-shell');
    const files = (await readdir('deployment/aws')).map((file) => `deployment/aws/${file}`);
    for (const file of ['serverless.yml', ...files]) {
      const text = await readFile(file, 'utf8');
      expect(text, file).not.toContain('${env:');
      expect(text, file).not.toContain('HTTP_AUTH');
    }
  });

  it('template: no trace of the emulator', () => {
    expect(plain.text).not.toMatch(/emulator|127\.0\.0\.1|localhost/i);
  });

  it.each(FUNCTIONS)('$name: its zip → its bundle and nothing else', async ({ name, bundle }) => {
    const folder = `dist/${dirname(bundle)}`;
    // A bundle in a folder of its own is the whole folder, with the chunks that it loads later.
    const files =
      folder === 'dist/.' ? [`dist/${bundle}.mjs`] : (await readdir(folder)).map((file) => `${folder}/${file}`);
    expect(files).toContain(`dist/${bundle}.mjs`);
    const entries = files.map(async (path) => ({ path, crc32: crc32(await readFile(path)) }));
    const zipped = plain.zips[`${name}.zip`] ?? [];
    expect(zipped.toSorted(byPath)).toEqual((await Promise.all(entries)).toSorted(byPath));
    expect(Object.keys(plain.zips)).toHaveLength(FUNCTIONS.length);
  });
});
