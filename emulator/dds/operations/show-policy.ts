import { refusals } from '../refusals.ts';
import { DEFAULT_POLICY } from './list-instances.ts';
import { found, type Operation } from './operation.ts';

/**
 * `GET /v3/{project_id}/instances/{instance_id}/backups/policy`. Reference: "Querying an Automated Backup Policy"
 * (dds_api_0030): when the policy is off, only `keep_days` is there.
 */
export const showPolicy: Operation = ({ state, id }) => {
  const instance = state.instance(id);
  if (!instance) return refusals.noSuchInstance;
  const { keep_days, start_time, period } = instance.policy ?? DEFAULT_POLICY;
  return found({ backup_policy: keep_days === 0 ? { keep_days } : { keep_days, start_time, period } });
};
