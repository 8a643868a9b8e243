import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { instanceOf } from '../../test/simulation/world.ts';
import { logLines } from '../../test/support/log-lines.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { Failure } from '../errors.ts';
import { SECOND } from '../time.ts';
import { findBackup, forEach, type ProjectsOptions, serveProjects } from './projects.ts';

const SECOND_PROJECT = '1c8de49e33e54a4e9eb2fcb3a8b1b7d5';
const THIRD_PROJECT = '2c8de49e33e54a4e9eb2fcb3a8b1b7d5';
const PROJECTS = [DEMO_PROJECT_ID, SECOND_PROJECT, THIRD_PROJECT];
const ARCHIVE = 'archive-in02';

/** Of an invocation that begins now. */
const budget = () => {
  const end = time.now().getTime() + 20 * SECOND;
  return { timeLeft: () => end - time.now().getTime() };
};

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime();
  const credentials = [DEMO_CREDENTIALS];
  emulator = await startEmulator({
    clock: time.now,
    projects: [
      { id: SECOND_PROJECT, credentials, instances: [instanceOf(ARCHIVE, 0)] },
      { id: THIRD_PROJECT, credentials },
    ],
  });
});
afterEach(() => emulator.close());
const lines = logLines();

const serve = ({
  ids = PROJECTS,
  credentials = async () => DEMO_CREDENTIALS,
}: {
  readonly ids?: readonly string[];
  readonly credentials?: ProjectsOptions['credentials'];
} = {}) =>
  serveProjects({
    config: {
      projects: ids.map((id) => ({ id, region: 'eu-de', endpoint: emulator.url })),
      maxRequestAgeMillis: 86_400_000,
    },
    credentials,
    timing: { ...time, random: () => 1 },
  });

const asked = () =>
  emulator.requests.map(({ operation, project }) => `${operation} ${PROJECTS.indexOf(project ?? '')}`);

describe('locate', () => {
  it('one project → that, and DDS is not asked', async () => {
    const projects = serve({ ids: [SECOND_PROJECT] });
    expect((await projects.locate('anything', budget())).origin.project_id).toBe(SECOND_PROJECT);
    expect(emulator.requests).toEqual([]);
  });

  it.each(['refused', 'empty'] as const)(
    'several projects, unknown instance %s → one small request to each, and the answer is kept',
    async (unknownInstance) => {
      emulator.control.changeSettings({ unknownInstance });
      const projects = serve();
      for (let i = 0; i < 3; i++)
        expect((await projects.locate(ARCHIVE, budget())).origin).toEqual({
          project_id: SECOND_PROJECT,
          region: 'eu-de',
        });
      expect(asked().sort()).toEqual(['list-instances 0', 'list-instances 1', 'list-instances 2']);
      expect(emulator.requests.every(({ query }) => query.id === ARCHIVE)).toBe(true);
      await projects.locate(DEMO_INSTANCE.id, budget());
      expect(emulator.requests).toHaveLength(6);
    },
  );

  it('→ all projects are asked at once', async () => {
    await emulator.close();
    const started = new Set<string>();
    const all = Promise.withResolvers<void>();
    emulator = await startEmulator({
      clock: time.now,
      wait: () => all.promise,
      projects: PROJECTS.slice(1).map((id) => ({
        id,
        credentials: [DEMO_CREDENTIALS],
        instances: id === SECOND_PROJECT ? [instanceOf(ARCHIVE, 0)] : [],
      })),
    });
    // No answer comes before every project is asked.
    emulator.control.decideFaults(({ project }) => {
      started.add(project ?? '');
      if (started.size === PROJECTS.length) all.resolve();
      return { kind: 'delay', millis: 1 };
    });
    await serve().locate(ARCHIVE, budget());
    expect(started.size).toBe(3);
  });

  it('forgotten → asked for again', async () => {
    const projects = serve();
    await projects.locate(ARCHIVE, budget());
    projects.forget(ARCHIVE);
    await projects.locate(ARCHIVE, budget());
    expect(emulator.requests).toHaveLength(6);
  });

  it('in no project → InstanceNotFound that names them, and it is not kept', async () => {
    const projects = serve();
    await expect(projects.locate('unknown', budget())).rejects.toMatchObject({
      name: 'InstanceNotFound',
      message: `Instance unknown is in none of the projects ${PROJECTS.join(', ')}.`,
    });
    emulator.control.setInstance({ project: THIRD_PROJECT, instance: { id: 'unknown' } });
    expect((await projects.locate('unknown', budget())).origin.project_id).toBe(THIRD_PROJECT);
  });

  it.each([
    ['refuses the key', { kind: 'error', ...refusals.permissionDenied }, 'CredentialsRefused', 'later'],
    ['is faulty', { kind: 'html', status: 503 }, 'DdsUnavailable', 'now'],
    ['resets', { kind: 'reset', when: 'before' }, 'DdsUnavailable', 'now'],
  ] as const)('a project %s → others are found, what is nowhere is %3$s', async (_, fault, name, retry) => {
    emulator.control.decideFaults(({ project }) => (project === THIRD_PROJECT ? fault : undefined));
    const projects = serve();
    expect((await projects.locate(ARCHIVE, budget())).origin.project_id).toBe(SECOND_PROJECT);
    await expect(projects.locate('unknown', budget())).rejects.toMatchObject({
      name,
      retry,
      outcomeUnknown: false,
      cause: { annotation: { project_id: THIRD_PROJECT } },
    });
    emulator.control.clearFaults();
    await expect(projects.locate('unknown', budget())).rejects.toMatchObject({ name: 'InstanceNotFound' });
  });

  it.each([
    ['is faulty', { kind: 'html', status: 503 }],
    ['asks for a pause', { kind: 'error', ...refusals.systemBusy, headers: { 'retry-after': '19' } }],
  ] as const)('another project %s → no time is lost on it', async (_, fault) => {
    emulator.control.decideFaults(({ project }) => (project === DEMO_PROJECT_ID ? fault : undefined));
    await serve().locate(ARCHIVE, budget());
    expect(time.waits).toEqual([]);
  });

  it('project that is faulty for a moment → only that one is asked again', async () => {
    emulator.control.inject({ faults: [{ kind: 'html', status: 503, project: SECOND_PROJECT }], times: 2 });
    expect((await serve().locate(ARCHIVE, budget())).origin.project_id).toBe(SECOND_PROJECT);
    expect(asked().filter((request) => request === 'list-instances 1')).toHaveLength(3);
    expect(emulator.requests).toHaveLength(5);
  });

  it('key of one project missing → only that one fails', async () => {
    const projects = serve({
      credentials: async (id) => {
        if (id === SECOND_PROJECT) throw new Failure('ConfigurationError', 'no key');
        return DEMO_CREDENTIALS;
      },
    });
    expect((await projects.locate(DEMO_INSTANCE.id, budget())).origin.project_id).toBe(DEMO_PROJECT_ID);
    await expect(projects.locate(ARCHIVE, budget())).rejects.toMatchObject({ name: 'DdsUnavailable', retry: 'now' });
    expect(asked()).not.toContain('list-instances 1');
  });

  it.each([
    ['SecretUnavailable', 'SecretUnavailable'],
    ['ConfigurationError', 'ConfigurationError'],
  ] as const)('keys of all projects: %s → %s', async (reason, name) => {
    const credentials = async () => {
      throw new Failure(reason, 'no key');
    };
    await expect(serve({ credentials }).locate(ARCHIVE, budget())).rejects.toMatchObject({ name });
    expect(emulator.requests).toEqual([]);
  });

  it('same instance in two projects → the first as configured, and a warning', async () => {
    emulator.control.setInstance({ project: THIRD_PROJECT, instance: { id: ARCHIVE } });
    const projects = serve({ ids: PROJECTS.toReversed() });
    expect((await projects.locate(ARCHIVE, budget())).origin.project_id).toBe(THIRD_PROJECT);
    expect(lines).toMatchObject([
      {
        level: 'warn',
        event: 'instance.ambiguous',
        instance_id: ARCHIVE,
        project_id: THIRD_PROJECT,
        region: 'eu-de',
        projects: 2,
      },
    ]);
  });

  it('project named → that, and DDS is not asked', async () => {
    expect((await serve().locate(DEMO_INSTANCE.id, budget(), THIRD_PROJECT)).origin.project_id).toBe(THIRD_PROJECT);
    expect(emulator.requests).toEqual([]);
  });

  it.each([[PROJECTS], [[DEMO_PROJECT_ID]]])('unknown project named, of %j → InvalidRequest', async (ids) => {
    await expect(serve({ ids }).locate(ARCHIVE, budget(), 'unknown')).rejects.toMatchObject({
      name: 'InvalidRequest',
      status: 400,
      details: [{ path: '/project', message: `must be one of ${ids.join(', ')}` }],
    });
  });
});

describe('findBackup', () => {
  const seed = () =>
    emulator.control.addBackups({
      project: SECOND_PROJECT,
      backups: [{ name: 'nightly', instance_id: ARCHIVE, begin: '2026-03-01T10:00:00Z' }],
    });

  it('→ found in whatever project it is, with one request to each at most', async () => {
    const [id = ''] = seed();
    expect((await findBackup(serve(), id, budget())).backup).toMatchObject({ id, name: 'nightly' });
    expect(new Set(asked()).size).toBe(emulator.requests.length);
  });

  it('another project is down → found all the same', async () => {
    const [id = ''] = seed();
    emulator.control.decideFaults(({ project }) =>
      project === THIRD_PROJECT ? { kind: 'error', ...refusals.permissionDenied } : undefined,
    );
    expect((await findBackup(serve(), id, budget())).backup.id).toBe(id);
    await expect(findBackup(serve(), 'unknown', budget())).rejects.toMatchObject({ name: 'CredentialsRefused' });
  });

  it('in none → BackupNotFound', async () => {
    await expect(findBackup(serve(), 'unknown', budget())).rejects.toMatchObject({ name: 'BackupNotFound' });
  });
});

describe('forEach', () => {
  it('one fails → the others are done, and its error is thrown after them', async () => {
    const done: number[] = [];
    const act = async (one: number) => {
      await Promise.resolve();
      if (one === 2) throw new Error('two');
      done.push(one);
    };
    await expect(forEach([1, 2, 3], act)).rejects.toThrow('two');
    expect(done).toEqual([1, 3]);
  });
});
