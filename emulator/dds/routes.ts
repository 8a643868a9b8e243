import { createBackup } from './operations/create-backup.ts';
import { deleteBackup } from './operations/delete-backup.ts';
import { listBackups } from './operations/list-backups.ts';
import { listInstances } from './operations/list-instances.ts';
import type { Operation } from './operations/operation.ts';
import { showJob } from './operations/show-job.ts';
import { showPolicy } from './operations/show-policy.ts';
import { type Refusal, refusals } from './refusals.ts';

/** `create-token` is IAM's; the others are DDS's. */
export const OPERATION_NAMES = [
  'create-backup',
  'list-backups',
  'delete-backup',
  'show-job',
  'list-instances',
  'show-policy',
  'create-token',
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];

interface Api {
  readonly method: string;
  /** What follows `/v3/{project_id}/`; `*` stands for one segment, at most one. */
  readonly path: readonly string[];
  readonly name: OperationName;
  readonly operation: Operation;
}

const apis: readonly Api[] = [
  { method: 'POST', path: ['backups'], name: 'create-backup', operation: createBackup },
  { method: 'GET', path: ['backups'], name: 'list-backups', operation: listBackups },
  { method: 'DELETE', path: ['backups', '*'], name: 'delete-backup', operation: deleteBackup },
  { method: 'GET', path: ['jobs'], name: 'show-job', operation: showJob },
  { method: 'GET', path: ['instances'], name: 'list-instances', operation: listInstances },
  { method: 'GET', path: ['instances', '*', 'backups', 'policy'], name: 'show-policy', operation: showPolicy },
];

export type Route =
  | { readonly name: 'create-token'; readonly operation?: undefined }
  | { readonly name: OperationName; readonly operation: Operation; readonly projectId: string; readonly id: string };

/**
 * Finds the operation, or refuses as the gateway does: another text for a method that the path does not have. A path
 * that ends in `/` is another path: the slash belongs to the canonical form of the signature, not to the URL.
 * @param path decoded
 */
export function findRoute(method: string, path: string): Route | Refusal {
  if (path === '/v3/auth/tokens') return method === 'POST' ? { name: 'create-token' } : refusals.noSuchMethod;
  const [root, version, projectId, ...rest] = path.split('/');
  if (root !== '' || version !== 'v3' || !projectId) return refusals.noSuchApi;
  const there = apis.filter(
    (api) =>
      api.path.length === rest.length &&
      api.path.every((part, at) => (part === '*' ? rest[at] !== '' : part === rest[at])),
  );
  const api = there.find((candidate) => candidate.method === method);
  if (!api) return there.length > 0 ? refusals.noSuchMethod : refusals.noSuchApi;
  return { name: api.name, operation: api.operation, projectId, id: rest[api.path.indexOf('*')] ?? '' };
}
