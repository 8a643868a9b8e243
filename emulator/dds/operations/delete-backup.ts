import { refusals } from '../refusals.ts';
import { done, type Operation } from './operation.ts';

/**
 * `DELETE /v3/{project_id}/backups/{backup_id}`. Reference: "Deleting a Manual Backup" (dds_api_0028).
 *
 * The backup is DISABLED for `deletionMillis` and keeps its name so long; then it is gone and the name is free. One
 * that is being deleted does not exist for a second call. Checks, in this order: that it exists, with a code of its own
 * when its instance is gone too; that it is a manual one; that it is not BUILDING; that no restore reads it; that
 * nothing runs on its instance.
 */
export const deleteBackup: Operation = ({ state, id }) => {
  const backup = state.backup(id);
  if (!backup || backup.deletedAt !== undefined) {
    const instanceId = state.instanceOfDeleted(id);
    const isInstanceGone = instanceId !== undefined && !state.instance(instanceId);
    return isInstanceGone ? refusals.noSuchInstance201502 : refusals.noSuchBackup;
  }
  if (backup.type.toLowerCase() === 'auto') return refusals.invalidBackup;
  if (state.status(backup) === 'BUILDING') return refusals.backupBuilding;
  if (backup.restoringUntil !== undefined && state.now() < backup.restoringUntil) return refusals.backupInRestore;
  if (state.isBusy(backup.instance.id)) return refusals.instanceBusy;
  return done({ job_id: state.beginDeletion(backup) });
};
