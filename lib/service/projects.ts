/** The projects that are served, and in which of them an instance is. */
import { backupCreator, type CreateBackup } from '../backup/create.ts';
import { type BackupStatus, type StatusReader, statusReader } from '../backup/status.ts';
import { type DdsClient, ddsClient } from '../dds/client.ts';
import { DdsError } from '../dds/errors.ts';
import { type Budget, backoffMillis, MIN_ATTEMPT_MILLIS } from '../dds/retry.ts';
import { annotate, Failure, InvalidRequest } from '../errors.ts';
import { SECOND, type Timing } from '../time.ts';
import type { Config } from './config.ts';
import type { CredentialStore } from './credentials.ts';
import { log } from './log.ts';
import type { Origin } from './ports.ts';

export interface Project {
  readonly origin: Origin;
  readonly dds: DdsClient;
  readonly create: CreateBackup;
  readonly status: StatusReader;
}

export interface Projects {
  readonly all: readonly Project[];
  /**
   * The project of an instance. With more than one, each is asked once for an instance, in parallel.
   * @param projectId the project, where the request names it
   * @throws InvalidRequest for a project that is not configured; Failure `InstanceNotFound` when the instance is in none;
   * `DdsUnavailable`, or what keeps all others from answering, when it is in none that answered
   */
  locate(instanceId: string, budget: Budget, projectId?: string): Promise<Project>;
  /** Another search is needed for the instance: it was not where it was found. */
  forget(instanceId: string): void;
}

export interface ProjectsOptions {
  readonly config: Config;
  readonly credentials: CredentialStore['credentials'];
  readonly timing: Timing;
  readonly attemptMillis?: number;
}

export function serveProjects({ config, credentials, timing, attemptMillis = 10 * SECOND }: ProjectsOptions): Projects {
  const all = config.projects.map(({ id, region, endpoint }): Project => {
    const dds = ddsClient({
      endpoint,
      projectId: id,
      credentials: (options) => credentials(id, options),
      timing,
      attemptMillis,
    });
    const create = backupCreator({ dds, timing, maxRequestAgeMillis: config.maxRequestAgeMillis });
    return { origin: { project_id: id, region }, dds, create, status: statusReader(dds, timing.now) };
  });
  const located = new Map<string, Project>();
  const names = all.map(({ origin }) => origin.project_id).join(', ');

  async function search(instanceId: string, budget: Budget): Promise<Project> {
    const { timeLeft, signal } = budget;
    // One attempt at each: a project that is down must not use up the time of an instance that is in another one.
    const once: Budget = { ...budget, lastAttemptIn: () => -1 };
    let open = all;
    for (let round = 0; ; round++) {
      const answers = await Promise.all(open.map((project) => isIn(project, instanceId, once)));
      const hits = open.filter((_, index) => answers[index] === true);
      const [project, ...others] = hits;
      if (others.length > 0)
        log('warn', {
          event: 'instance.ambiguous',
          instance_id: instanceId,
          ...project?.origin,
          projects: hits.length,
        });
      if (project) {
        located.set(instanceId, project);
        return project;
      }
      open = open.filter((_, index) => answers[index] instanceof Failure);
      const failures = answers.filter((answer) => answer instanceof Failure);
      const [cause] = failures;
      if (!cause) throw new Failure('InstanceNotFound', `Instance ${instanceId} is in none of the projects ${names}.`);
      const passing = failures.filter(({ retry }) => retry === 'now');
      const pause = Math.min(...passing.map(retryAfter)) + backoffMillis(round, timing.random);
      if (signal?.aborted || pause + MIN_ATTEMPT_MILLIS > timeLeft())
        throw notLocated(instanceId, cause, failures, failures.length === all.length);
      await timing.wait(pause);
    }
  }

  return {
    all,
    async locate(instanceId, budget, projectId) {
      if (projectId !== undefined) {
        const named = all.find(({ origin }) => origin.project_id === projectId);
        if (named) return named;
        throw new InvalidRequest(400, 'The request is invalid', [
          { path: '/project', message: `must be one of ${names}` },
        ]);
      }
      const [only, second] = all;
      if (only && !second) return only;
      return located.get(instanceId) ?? search(instanceId, budget);
    },
    forget: (instanceId) => void located.delete(instanceId),
  };
}

/**
 * The failure of a search that some projects did not answer. It has their reason where that is the same in all of them
 * and with us. What no retry mends must hold for every project: the instance may be in one that is down for a moment.
 */
function notLocated(instanceId: string, cause: Failure, failures: readonly Failure[], isEverywhere: boolean): Failure {
  const isShared = failures.every(({ name }) => name === cause.name);
  const keeps = isShared && cause.meaning.isOurs && (isEverywhere || cause.retry !== 'never');
  const message = `Instance ${instanceId} is in no project that answered. One did not: ${cause.message}`;
  return new Failure(keeps ? cause.name : 'DdsUnavailable', message, { cause, outcomeUnknown: false });
}

const retryAfter = (failure: Failure): number => (failure instanceof DdsError ? (failure.retryAfterMillis ?? 0) : 0);

/** Whether a project has an instance; a failure where it cannot be known. */
async function isIn({ origin, dds }: Project, instanceId: string, budget: Budget): Promise<boolean | Failure> {
  try {
    for await (const { id } of dds.listInstances({ id: instanceId }, budget)) if (id === instanceId) return true;
    return false;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.name === 'InstanceNotFound' ? false : annotate(error, origin);
  }
}

/**
 * Looks for a backup in all projects at once.
 * @throws Failure `BackupNotFound` when it is in none; what another project throws where that may be wrong
 */
export async function findBackup({ all }: Projects, id: string, budget: Budget): Promise<BackupStatus> {
  try {
    return await Promise.any(all.map(({ status }) => status.read(id, budget)));
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    const failures: readonly unknown[] = error.errors;
    throw failures.find((failure) => !(failure instanceof Failure && failure.name === 'BackupNotFound')) ?? failures[0];
  }
}

/**
 * Does something for all at once. One that fails does not keep the others from it.
 * @throws the first failure, once all are done
 */
export async function forEach<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(all.map(act));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** An error that says in which project it came about. */
export const withOrigin = (error: unknown, origin: Origin): unknown =>
  error instanceof Failure ? annotate(error, origin) : error;
