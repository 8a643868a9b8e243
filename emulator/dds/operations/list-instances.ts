import { type BackupPolicy, type Instance, overridden } from '../records.ts';
import { isRefusal, type Refusal, refusals } from '../refusals.ts';
import type { Query } from '../request-target.ts';
import type { State } from '../state.ts';
import { found, type Operation } from './operation.ts';
import { isMode, pageOf, parameter, parameters, readPage } from './parameters.ts';

/** What an instance has unless it says otherwise; the reference's sample. */
export const DEFAULT_POLICY: BackupPolicy = { keep_days: 7, start_time: '19:00-20:00', period: '1,2,3,4,5,6,7' };
const DEFAULT_VPC_ID = '19e5d45d-70fd-4a91-87e9-b27e71c9891f';
const DEFAULT_SUBNET_ID = 'bd51fb45-2dcb-4296-8783-8623bfe89bb7';

const MAX_TAGS = 20;

/**
 * `GET /v3/{project_id}/instances`. Reference: "Querying Instances and Details" (dds_api_0023), less the members that
 * describe nodes. Newest first. A name that begins with `*` finds the names that contain the rest; `*` alone is refused.
 * While a backup runs, `actions` holds `BACKUP` and the status stays `normal`. An instance fits several tags when it has
 * all of them.
 */
export const listInstances: Operation = ({ state, settings, query }) => {
  const page = readPage(query);
  if (isRefusal(page)) return page;
  const fits = readFilter(query);
  if (isRefusal(fits)) return fits;
  const id = parameter(query, 'id');
  if (typeof id === 'string' && !state.instance(id) && settings.unknownInstance === 'refused')
    return refusals.noSuchInstance280110;

  const instances = state.instances().filter(fits);
  const all = { total: instances.length, page: (from: number, limit: number) => instances.slice(from, from + limit) };
  const { items, total_count } = pageOf(all, page, settings);
  return found({ instances: items.map((instance) => describeInstance(instance, state)), total_count });
};

function readFilter(query: Query): ((instance: Instance) => boolean) | Refusal {
  const given = parameters(query, 'id', 'name', 'mode', 'vpc_id', 'subnet_id', 'datastore_type', 'tags');
  if (isRefusal(given)) return given;
  const { id, name, mode, vpc_id, subnet_id, datastore_type } = given;
  if (name === '*') return refusals.parameterError;
  if (mode !== undefined && !isMode(mode)) return refusals.invalidMode;
  const tags = readTags(given.tags);
  if (isRefusal(tags)) return tags;
  const isAsked = (asked: string | undefined, value: string): boolean => asked === undefined || asked === value;
  return (instance) =>
    isAsked(id, instance.id) &&
    (name === undefined || hasName(instance, name)) &&
    isAsked(mode, instance.mode) &&
    isAsked(vpc_id, instance.vpc_id ?? DEFAULT_VPC_ID) &&
    isAsked(subnet_id, instance.subnet_id ?? DEFAULT_SUBNET_ID) &&
    isAsked(datastore_type, instance.datastore.type) &&
    tags.every(([key, value]) => instance.tags?.some((tag) => tag.key === key && tag.value === value));
}

const hasName = (instance: Instance, name: string): boolean =>
  name.startsWith('*') ? instance.name.includes(name.slice(1)) : instance.name === name;

/** `k1=v1,k2=v2`: at most 20, no key empty or given twice; a value may be empty. */
function readTags(text: string | undefined): readonly (readonly [key: string, value: string])[] | Refusal {
  if (text === undefined) return [];
  const tags = text.split(',').map((pair) => {
    const sign = pair.indexOf('=');
    return sign < 0 ? ([pair, ''] as const) : ([pair.slice(0, sign), pair.slice(sign + 1)] as const);
  });
  const keys = new Set(tags.map(([key]) => key));
  return tags.length > MAX_TAGS || keys.size < tags.length || keys.has('') ? refusals.parameterError : tags;
}

function describeInstance(instance: Instance, state: State) {
  const { keep_days, start_time } = instance.policy ?? DEFAULT_POLICY;
  const created = new Date(instance.createdAt).toISOString().slice(0, 19);
  const described = {
    id: instance.id,
    name: instance.name,
    status: instance.status,
    port: '8635',
    mode: instance.mode,
    region: 'eu-de',
    datastore: instance.datastore,
    engine: storageEngine(instance),
    created,
    updated: created,
    db_user_name: 'rwuser',
    ssl: 1,
    vpc_id: instance.vpc_id ?? DEFAULT_VPC_ID,
    subnet_id: instance.subnet_id ?? DEFAULT_SUBNET_ID,
    backup_strategy: { start_time, keep_days },
    pay_mode: '0',
    maintenance_window: '02:00-06:00',
    time_zone: '',
    actions: [...(state.isBackingUp(instance.id) ? ['BACKUP'] : []), ...(instance.actions ?? [])],
    tags: instance.tags ?? [],
  };
  return overridden(described, instance.override);
}

/** rocksDB from 4.2 on. */
function storageEngine({ datastore: { version } }: Instance): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 4 || (major === 4 && minor >= 2) ? 'rocksDB' : 'wiredTiger';
}
