/** clients/ci: each template is parsed, and what of it can run runs against the service as `npm start` runs it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { fieldsOf, isObject, textsOf } from '../lib/json.ts';
import { EVENT_SOURCE } from '../lib/service/ports.ts';
import { startService } from './clients/local-service.ts';
import { runStateMachine } from './clients/state-machine.ts';

const CLIENTS = join(import.meta.dirname, '../clients');

const VALIDATOR = join(import.meta.dirname, '../node_modules/asl-validator/dist/bin/asl-validator.js');

const read = (name: string): Promise<string> => readFile(join(CLIENTS, 'ci', name), 'utf8');

/** Each `!Ref` and `!GetAtt` becomes the text behind it. */
const cloudFormation = ['Ref', 'GetAtt'].map((name) => ({ tag: `!${name}`, resolve: (value: string) => value }));

async function parsed(name: string): Promise<unknown> {
  return parse(await read(name), { strict: true, customTags: cloudFormation });
}

/** What stands under these names and indices. */
const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce((inner, name) => (isObject(inner) ? inner[name] : undefined), value);

const textsAt = (value: unknown, ...path: readonly (string | number)[]): readonly string[] => {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.map(String) : [];
};

let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  service = await startService();
}, 60_000);
afterAll(() => service[Symbol.asyncDispose]());

beforeEach(async () => {
  await service.control('removeBackups', {});
  await service.control('changeSettings', { backupMillis: 100, failNames: null });
});

/** A job's folder: the client, a migration that says that it ran, and the commands of the image. */
async function job() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'ci-'));
  const executable = (name: string, script: string) =>
    writeFile(join(folder.path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await cp(join(CLIENTS, 'backup-and-wait.sh'), join(folder.path, 'backup-and-wait.sh'));
  await executable('migrate.sh', 'echo migrated');
  await mkdir(join(folder.path, 'bin'));
  await executable('bin/apk', 'exit 0');
  await executable(
    'bin/aws',
    '[ "$*" = "configure export-credentials --format env" ] && [ -s "$AWS_WEB_IDENTITY_TOKEN_FILE" ] && ' +
      '[ -n "$AWS_ROLE_ARN" ] && echo "export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_SESSION_TOKEN=any"',
  );
  return {
    path: folder.path,
    run: async (command: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
      const PATH = `${join(folder.path, 'bin')}:${process.env.PATH}`;
      const child = spawn(command, args, {
        cwd: folder.path,
        env: { PATH, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      return { code, stdout, stderr };
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const backupsOf = (prefix: string) => ({ status: 'COMPLETED', name: expect.stringMatching(`^${prefix}-`) });

describe('GitHub', { timeout: 20_000 }, () => {
  /** As the runner does: inputs by their defaults, then the step's environment, then its script with `sh -e`. */
  async function runAction(inputs: Readonly<Record<string, string>>) {
    const action = await parsed('github-action/action.yml');
    const values = new Map(Object.entries({ github: 'repository-1-1', ...inputs }));
    for (const [name, input] of Object.entries(fieldsOf(at(action, 'inputs')))) {
      const { default: preset = '' } = fieldsOf(input);
      if (!values.has(name)) values.set(name, String(preset).replace(/^\$\{\{ github\..*$/, 'repository-1-1'));
    }
    const step = at(action, 'runs', 'steps', 0);
    const env = Object.entries(textsOf(at(step, 'env'))).map(([name, value]) => {
      const [, input = ''] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(value) ?? [];
      return [name, values.get(input) ?? `no such input: ${value}`];
    });
    await using here = await job();
    const output = join(here.path, 'output');
    await writeFile(output, '');
    const ended = await here.run('sh', ['-e', '-c', String(at(step, 'run'))], {
      ...Object.fromEntries(env),
      GITHUB_ACTION_PATH: join(CLIENTS, 'ci/github-action'),
      GITHUB_OUTPUT: output,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    });
    return { ...ended, output: await readFile(output, 'utf8') };
  }

  it.each([{}, { 'aws-region': 'eu-central-1', 'name-prefix': 'release' }])(
    'action with %j → one backup, its id as output',
    async (more) => {
      const { code, output } = await runAction({ url: service.url, 'instance-id': DEMO_INSTANCE.id, ...more });
      const backups = await service.backups();
      expect(backups).toMatchObject([backupsOf('name-prefix' in more ? 'release' : 'before-migration')]);
      expect([code, output]).toEqual([0, `backup-id=${backups[0]?.id}\n`]);
    },
  );

  it('action, backup FAILED → fails, no output', async () => {
    await service.control('changeSettings', { failNames: '.' });
    const { code, output, stderr } = await runAction({ url: service.url, 'instance-id': DEMO_INSTANCE.id });
    expect([code, output]).toEqual([1, '']);
    expect(stderr).toContain('is FAILED.');
  });

  it('workflow → gives the action its inputs, before the migration; its times fit', async () => {
    const workflow = await parsed('github-workflow.yml');
    const steps = at(workflow, 'jobs', 'migrate', 'steps');
    const [, credentials, backup, migrate] = Array.isArray(steps) ? steps : [];
    expect(at(migrate, 'run')).toBe('./migrate.sh');
    const { inputs } = fieldsOf(await parsed('github-action/action.yml'));
    const given = Object.keys(fieldsOf(at(backup, 'with')));
    expect(Object.keys(fieldsOf(inputs))).toEqual(expect.arrayContaining(given));
    const required = Object.entries(fieldsOf(inputs)).filter(([, input]) => at(input, 'required') === true);
    expect(given).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    const timeout = Number(at(inputs, 'timeout', 'default'));
    expect(timeout).toBeLessThan(Number(at(credentials, 'with', 'role-duration-seconds')));
    expect(timeout).toBeLessThan(Number(at(workflow, 'jobs', 'migrate', 'timeout-minutes')) * 60);
  });
});

describe('GitLab', { timeout: 20_000 }, () => {
  async function runJob() {
    const template = await parsed('gitlab-job.yml');
    await using here = await job();
    const script = textsAt(template, 'migrate', 'script').join('\n');
    return await here.run('sh', ['-e', '-c', script], {
      ...textsOf(at(template, 'migrate', 'variables')),
      BACKUPS_URL: service.url,
      INSTANCE_ID: DEMO_INSTANCE.id,
      CI_PROJECT_PATH_SLUG: 'group-project',
      CI_JOB_ID: '7',
      AWS_TOKEN: 'token',
    });
  }

  it('job → a backup, then the migration', async () => {
    const { code, stdout } = await runJob();
    const backups = await service.backups();
    expect(backups).toMatchObject([backupsOf('before-migration')]);
    expect([code, stdout]).toEqual([0, `${backups[0]?.id}\nmigrated\n`]);
  });

  it('job, backup FAILED → no migration', async () => {
    await service.control('changeSettings', { failNames: '.' });
    const { code, stdout, stderr } = await runJob();
    expect(stderr).toContain('is FAILED.');
    expect([code, stdout]).toEqual([1, '']);
  });
});

describe('Kubernetes', { timeout: 20_000 }, () => {
  const container = ['spec', 'template', 'spec', 'containers', 0] as const;

  async function runPod(template: unknown) {
    const args = textsAt(template, ...container, 'args').map((arg) => arg.replaceAll('$(JOB_UID)', 'uid'));
    args[args.indexOf('--url') + 1] = service.url;
    const [shell = '', path = ''] = textsAt(template, ...container, 'command');
    expect([shell, path]).toEqual([
      'sh',
      `${at(template, ...container, 'volumeMounts', 0, 'mountPath')}/backup-and-wait.sh`,
    ]);
    await using here = await job();
    const env = { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' };
    return await here.run(shell, ['backup-and-wait.sh', ...args], env);
  }

  it('job → a backup; another pod of it → the same one', async () => {
    const template = await parsed('kubernetes-job.yaml');
    const first = await runPod(template);
    const backups = await service.backups();
    expect(backups).toMatchObject([backupsOf('before-migration')]);
    expect(first).toMatchObject({ code: 0, stdout: `${backups[0]?.id}\n` });
    expect(await runPod(template)).toMatchObject({ code: 0, stdout: first.stdout });
    expect(await service.backups()).toHaveLength(1);
  });

  it('job, backup FAILED → an exit status that fails the job', async () => {
    await service.control('changeSettings', { failNames: '.' });
    const template = await parsed('kubernetes-job.yaml');
    const { code, stderr } = await runPod(template);
    expect(stderr).toContain('is FAILED.');
    const failing = textsAt(template, 'spec', 'podFailurePolicy', 'rules', 0, 'onExitCodes', 'values');
    expect(failing).toContain(String(code));
    expect(failing).not.toContain('143');
  });

  it('job → a hook of Argo CD and of Helm, with enough time', async () => {
    const template = await parsed('kubernetes-job.yaml');
    expect(at(template, 'metadata', 'annotations')).toMatchObject({
      'argocd.argoproj.io/hook': 'PreSync',
      'helm.sh/hook': 'pre-upgrade',
    });
    const args = textsAt(template, ...container, 'args');
    const timeout = Number(args[args.indexOf('--timeout') + 1]);
    expect(Number(at(template, 'spec', 'activeDeadlineSeconds'))).toBeGreaterThan(timeout);
  });
});

describe('Step Functions', { timeout: 20_000 }, () => {
  const definition = async () => fieldsOf(JSON.parse(await read('step-functions.asl.json')));

  let executions = 0;

  /** A tenth of what the state machine waits passes in DDS: a signature allows a quarter of an hour in all. */
  const run = async (instance_id: string = DEMO_INSTANCE.id) => {
    executions += 1;
    return runStateMachine({
      definition: await definition(),
      input: { instance_id },
      context: { Execution: { Name: `execution-${executions}` } },
      origin: service.url.replace('/backups', ''),
      wait: (seconds) => service.control('advance', { millis: seconds * 100 }),
    });
  };

  it('definition → valid', async () => {
    const arguments_ = [VALIDATOR, '--json-path', join(CLIENTS, 'ci/step-functions.asl.json')];
    const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  });

  it('instance idle → waits for the backup, then migrates', async () => {
    await service.control('changeSettings', { backupMillis: 4000 });
    const { status, states, output } = await run();
    const backups = await service.backups();
    expect(backups).toMatchObject([backupsOf('before-migration')]);
    expect(states).toEqual(['Ask', 'Wait', 'Look', 'Completed?', 'Wait', 'Look', 'Completed?', 'Migrate']);
    expect([status, output.backup]).toEqual(['SUCCEEDED', { id: backups[0]?.id, status: 'COMPLETED' }]);
  });

  it('instance busy, list late → asks again', async () => {
    await service.control('changeSettings', { listLagMillis: 5000 });
    const begin = new Date();
    const busy = { name: 'other', instance_id: DEMO_INSTANCE.id, type: 'Manual', begin };
    await service.control('addBackups', { backups: [{ ...busy, end: new Date(begin.getTime() + 10_000) }] });
    const { status } = await run();
    await service.control('changeSettings', { listLagMillis: 0 });
    expect(status).toBe('SUCCEEDED');
    expect(await service.backups()).toMatchObject([backupsOf('before-migration'), { name: 'other' }]);
  });

  it('backup FAILED → fails', async () => {
    await service.control('changeSettings', { failNames: '.' });
    expect(await run()).toMatchObject({ status: 'FAILED', error: 'BackupFailed' });
  });

  it('request refused → fails at once', async () => {
    expect(await run('')).toMatchObject({ status: 'FAILED', error: 'ApiGateway.400', states: ['Ask'] });
  });
});

it('docs/ci.md → shows what the templates have', async () => {
  const page = await readFile(join(CLIENTS, '../docs/ci.md'), 'utf8');
  const shown = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(([, block = '']) => block.trim().split('\n'));
  const names = ['github-workflow.yml', 'gitlab-job.yml', 'kubernetes-job.yaml'];
  const templates = (await Promise.all(names.map(read))).flatMap((template) => template.split('\n'));
  expect(shown.length).toBeGreaterThan(0);
  expect(templates.map((line) => line.trim())).toEqual(expect.arrayContaining(shown.map((line) => line.trim())));
});

describe('chat', () => {
  it('rule → takes what the monitor publishes, and gives JSON', async () => {
    const template = await parsed('failed-to-chat.yml');
    const properties = at(template, 'Resources', 'Rule', 'Properties');
    expect(at(properties, 'EventPattern')).toEqual({ source: [EVENT_SOURCE], 'detail-type': ['DDS Backup Failed'] });
    const event = {
      time: '2026-03-01T12:03:00Z',
      detail: { name: 'nightly-1', instance_name: 'orders', instance_id: 'in02', stage: 'prod' },
    };
    const { InputPathsMap, InputTemplate } = fieldsOf(at(properties, 'Targets', 0, 'InputTransformer'));
    const filled = Object.entries(textsOf(InputPathsMap)).reduce(
      (rest, [name, path]) => rest.replaceAll(`<${name}>`, String(at(event, ...path.split('.').slice(1)))),
      String(InputTemplate),
    );
    expect(JSON.parse(filled)).toEqual({
      text: 'Backup nightly-1 of orders (in02, prod) FAILED at 2026-03-01T12:03:00Z.',
    });
  });

  it('template → every reference leads to a resource or parameter', async () => {
    const content = await read('failed-to-chat.yml');
    const { Resources, Parameters } = fieldsOf(await parsed('failed-to-chat.yml'));
    const names = [...Object.keys(fieldsOf(Resources)), ...Object.keys(fieldsOf(Parameters))];
    const references = [...content.matchAll(/!(?:Ref|GetAtt) (\w+)/g)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(references));
  });
});
