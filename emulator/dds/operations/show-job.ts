import type { JobRecord } from '../records.ts';
import { isRefusal, refusals } from '../refusals.ts';
import { formatJobTime } from '../times.ts';
import { found, type Operation } from './operation.ts';
import { parameter } from './parameters.ts';

/** "Within one month" (dds_api_0118). */
const MONTH = 30 * 24 * 3600 * 1000;

/** Names of Huawei's list of tasks (dds_api_0301). */
const NAMES = { backup: 'MongodbSnapshotBackup', deletion: 'MongodbRecycleBackup' } as const;

/**
 * `GET /v3/{project_id}/jobs?id={job_id}`. Reference: "Obtaining Information About a Task with a Specified ID"
 * (dds_api_0118): a job can be asked for from some seconds after its creation, for a month; before and after that, and
 * for any other id, it does not exist. `progress` is empty unless it runs. While it runs, `ended` holds the time of
 * asking, as in the reference's sample: only `status` tells whether a job has ended.
 */
export const showJob: Operation = ({ state, settings, query }) => {
  const id = parameter(query, 'id');
  if (isRefusal(id)) return id;
  if (id === undefined) return refusals.parameterError;
  const job = state.job(id);
  if (!job) return refusals.noSuchJob;
  const age = state.now() - job.beginAt;
  if (age < settings.jobDelayMillis || age > MONTH) return refusals.noSuchJob;
  return found({ job: describeJob(job, state.now()) });
};

function describeJob({ id, kind, backup, beginAt, endAt }: JobRecord, now: number) {
  const running = now < endAt;
  const failed = !running && kind === 'backup' && backup.outcome === 'FAILED';
  return {
    id,
    name: NAMES[kind],
    status: running ? 'Running' : failed ? 'Failed' : 'Completed',
    created: formatJobTime(beginAt),
    ended: formatJobTime(Math.min(now, endAt)),
    progress: running ? `${Math.floor((100 * (now - beginAt)) / (endAt - beginAt))}%` : '',
    instance: { id: backup.instance.id, name: backup.instance.name },
    fail_reason: failed ? 'Failed to create the backup.' : null,
  };
}
