/** Asks for a backup of each of many instances, by a schedule. */
import { selects } from '../backup/instances.ts';
import type { ListedInstance } from '../dds/types.ts';
import { Failure } from '../errors.ts';
import { SECOND } from '../time.ts';
import { readNightlyConfig } from './config.ts';
import { describeError, log } from './log.ts';
import type { Origin, Starter } from './ports.ts';
import { forEach, withOrigin } from './projects.ts';
import type { Service, TimeLeft } from './service.ts';

/** Between two requests: a tenth of what DDS's gateway is known to take. */
const PACE = SECOND / 5;

/** The schedule's identity. Every instance of one night has a trigger of its own with it. */
export interface Night {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
}

/**
 * Starts `invoke` for every selected instance of every project, with the schedule's id and time: a night that is started
 * again asks for the same backups. An instance that cannot be asked for does not keep the others from it.
 * @throws the first failure, once all are done; Failure `InstanceNotFound` when an instance that is named is in no project,
 * or none is selected
 */
export function nightlyRuns({ env, timing, projects, budget }: Service, start: Starter) {
  return async (night: Night, invocation: TimeLeft, signal?: AbortSignal): Promise<void> => {
    const { instances, except, namePrefix } = readNightlyConfig(env);
    const asked = new Set<string>();
    await forEach(projects().all, async ({ origin, dds }) => {
      const selected: ListedInstance[] = [];
      try {
        for await (const instance of dds.listInstances({}, budget(invocation, signal)))
          if (selects(instances, instance) && !except.has(instance.id)) selected.push(instance);
      } catch (error) {
        throw withOrigin(error, origin);
      }
      const failures: Failure[] = [];
      for (const { id } of selected) {
        const backup = { instance_id: id, name_prefix: namePrefix };
        const failure = await started(start, { ...night, project: origin.project_id, backup });
        if (failure) failures.push(failure);
        asked.add(id);
        await timing.wait(PACE);
      }
      logNight(night, selected, failures, origin);
      if (failures[0]) throw failures[0];
    });
    const named = instances.kind === 'ids' ? [...instances.ids] : [];
    const missing = named.filter((id) => !asked.has(id) && !except.has(id));
    if (missing.length > 0)
      throw new Failure('InstanceNotFound', `NIGHTLY_INSTANCES: no project has ${missing.join(', ')}.`);
    if (asked.size === 0) throw new Failure('InstanceNotFound', 'NIGHTLY_INSTANCES selects no instance.');
  };
}

async function started(start: Starter, payload: object): Promise<Failure | undefined> {
  try {
    await start(payload);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function logNight(
  { time }: Night,
  selected: readonly ListedInstance[],
  failures: readonly Failure[],
  origin: Origin,
): void {
  const notNormal = selected.filter(({ status = 'normal' }) => status !== 'normal').map(({ id }) => id);
  log(failures.length > 0 ? 'error' : 'info', {
    event: 'nightly.done',
    time,
    ...origin,
    instances: selected.length,
    failed: failures.length,
    ...(notNormal.length > 0 && { not_normal: notNormal }),
    ...(failures[0] && describeError(failures[0])),
  });
}
