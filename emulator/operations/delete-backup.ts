import { refusals } from '../refusals.ts';
import { done, type Operation } from './operation.ts';

/**
 * `DELETE /v3/{project_id}/backups/{backup_id}`. Reference: "Deleting a Manual Backup" (dds_api_0028).
 *
 * The backup is DISABLED for `deletionMillis` and keeps its name so long; then it is gone and the name is free. One
 * that is being deleted does not exist for a second call. An automated backup is no manual one: invalid. One that is
 * still BUILDING is busy; its instance being busy with another is no obstacle. The job of a deletion is not among those
 * that can be asked for (dds_api_0118).
 */
export const deleteBackup: Operation = ({ state, id }) => {
  const backup = state.backups().find((candidate) => candidate.id === id);
  if (!backup || backup.deletedAt !== undefined) return refusals.noSuchBackup;
  if (backup.type.toLowerCase() === 'auto') return refusals.invalidBackup;
  if (state.status(backup) === 'BUILDING') return refusals.instanceBusy;
  return done({ job_id: state.beginDeletion(backup) });
};
