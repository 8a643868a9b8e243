import { isRefusal, refusals } from '../refusals.ts';
import type { Instance, State } from '../state.ts';
import { found, type Operation } from './operation.ts';
import { isMode, onPage, parameters, readPage } from './parameters.ts';

/**
 * `GET /v3/{project_id}/instances`. Reference: "Querying Instances and Details" (dds_api_0023), less the members that
 * describe network, nodes and tags. Newest first. A name that begins with `*` finds the names that contain the rest;
 * `*` alone is refused. While a backup runs, `actions` holds `BACKUP` and the status stays `normal`.
 */
export const listInstances: Operation = ({ state, query }) => {
  const page = readPage(query);
  if (isRefusal(page)) return page;
  const given = parameters(query, 'id', 'name', 'mode');
  if (isRefusal(given)) return given;
  const { id, name, mode } = given;
  if (name === '*') return refusals.parameterError;
  if (mode !== undefined && !isMode(mode)) return refusals.invalidMode;

  const instances = state
    .instances()
    .filter(
      (instance) =>
        (id === undefined || instance.id === id) &&
        (name === undefined || hasName(instance, name)) &&
        (mode === undefined || instance.mode === mode),
    );
  return found({
    instances: onPage(instances, page).map((instance) => describeInstance(instance, state)),
    total_count: instances.length,
  });
};

const hasName = (instance: Instance, name: string): boolean =>
  name.startsWith('*') ? instance.name.includes(name.slice(1)) : instance.name === name;

function describeInstance(instance: Instance, state: State) {
  return {
    id: instance.id,
    name: instance.name,
    status: instance.status,
    mode: instance.mode,
    datastore: instance.datastore,
    engine: 'wiredTiger',
    created: new Date(instance.createdAt).toISOString().slice(0, 19),
    actions: state.isBusy(instance.id) ? ['BACKUP'] : [],
  };
}
