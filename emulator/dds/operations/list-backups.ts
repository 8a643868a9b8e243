import type { BackupFilter } from '../backup-store.ts';
import { listBackup } from '../records.ts';
import { isRefusal, type Refusal, refusals } from '../refusals.ts';
import type { Query } from '../request-target.ts';
import { parseTime } from '../times.ts';
import { found, type Operation } from './operation.ts';
import { isMode, pageOf, parameters, readPage } from './parameters.ts';

/**
 * `GET /v3/{project_id}/backups`. Reference: "Querying the Backup List" (dds_api_0029).
 *
 * Newest first. A filter that nothing fits, an unknown instance for one, gives an empty list and not an error: backups
 * outlive their instance. `begin_time` and `end_time` include both ends and are held against the second in which a
 * backup began. There is no filter by name; an unknown parameter is ignored.
 */
export const listBackups: Operation = ({ state, settings, query }) => {
  const page = readPage(query);
  if (isRefusal(page)) return page;
  const filter = readFilter(query);
  if (isRefusal(filter)) return filter;
  const { items, total_count } = pageOf(state.list(filter), page, settings);
  return found({
    backups: items.map((backup) => listBackup(backup, state.listedStatus(backup), settings)),
    total_count,
  });
};

function readFilter(query: Query): BackupFilter | Refusal {
  const given = parameters(query, 'instance_id', 'backup_id', 'backup_type', 'mode');
  if (isRefusal(given)) return given;
  const { instance_id, backup_id, backup_type, mode } = given;
  if (backup_type !== undefined && backup_type !== 'Auto' && backup_type !== 'Manual') return refusals.parameterError;
  if (mode !== undefined && !isMode(mode)) return refusals.invalidMode;
  const window = readWindow(query);
  if (isRefusal(window)) return window;
  return { id: backup_id, instanceId: instance_id, type: backup_type, mode, ...window };
}

/** Each of the two times is mandatory once the other is given. */
function readWindow(query: Query): { readonly from: number; readonly to: number } | Refusal {
  const given = parameters(query, 'begin_time', 'end_time');
  if (isRefusal(given)) return given;
  if (given.begin_time === undefined && given.end_time === undefined) return { from: -Infinity, to: Infinity };
  const from = parseTime(given.begin_time ?? '');
  const last = parseTime(given.end_time ?? '');
  if (from === undefined || last === undefined || from > last) return refusals.parameterError;
  return { from, to: last + 1000 };
}
