/** A DDS without HTTP: the operations of the emulator behind the interface of our client, for runs over months. */
import type { EmulatorClock } from '../../emulator/dds/clock.ts';
import { createBackup } from '../../emulator/dds/operations/create-backup.ts';
import { deleteBackup } from '../../emulator/dds/operations/delete-backup.ts';
import { listBackups } from '../../emulator/dds/operations/list-backups.ts';
import { listInstances } from '../../emulator/dds/operations/list-instances.ts';
import type { Answer, Operation } from '../../emulator/dds/operations/operation.ts';
import { isRefusal, type Refusal } from '../../emulator/dds/refusals.ts';
import type { OperationName } from '../../emulator/dds/routes.ts';
import type { Settings } from '../../emulator/dds/settings.ts';
import type { State } from '../../emulator/dds/state.ts';
import type { DdsClient, OnUnreadable } from '../../lib/dds/client.ts';
import { DdsError } from '../../lib/dds/errors.ts';
import { type Page, paginate } from '../../lib/dds/paginate.ts';
import { identify, readBackup, readInstance } from '../../lib/dds/records.ts';
import { type Attempted, type Budget, retry } from '../../lib/dds/retry.ts';
import { clockEstimate } from '../../lib/dds/time.ts';
import type { UnreadableRecord } from '../../lib/dds/types.ts';
import { fieldsOf } from '../../lib/json.ts';
import type { Timing } from '../../lib/time.ts';

export type Reply = Answer | Refusal;

/** One request: may wait, change the world, fail before `perform` or after it. Returns what the client gets to see. */
export type Carry = (operation: OperationName, perform: () => Reply) => Promise<Reply>;

export interface DirectDdsOptions {
  readonly state: State;
  readonly settings: () => Settings;
  readonly clock: EmulatorClock;
  readonly timing: Timing;
  /** Default: every request is answered at once. */
  readonly carry?: Carry;
}

const PAGE = { backups: 100, instances: 20 } as const;

export function directDds({
  state,
  settings,
  clock,
  timing,
  carry = async (_, perform) => perform(),
}: DirectDdsOptions): DdsClient {
  const estimate = clockEstimate();

  async function ask(
    name: OperationName,
    operation: Operation,
    { query = {}, id = '', body = '' }: { query?: Readonly<Record<string, string>>; id?: string; body?: string },
  ) {
    const sent = timing.now();
    const call = { state, settings: settings(), query, id, contentType: 'application/json', body: Buffer.from(body) };
    const reply = await carry(name, () => operation(call));
    const now = timing.now();
    if (settings().dateHeader) estimate.observe(new Date(clock.gateway()).toUTCString(), sent.getTime(), now.getTime());
    if (isRefusal(reply)) throw new DdsError({ status: reply.status, headers: {}, text: '' }, { ...reply }, now);
    return fieldsOf(reply.body);
  }

  async function* list<Item>(
    name: 'backups' | 'instances',
    query: object,
    budget: Budget,
    read: (item: unknown) => Item | UnreadableRecord,
    onUnreadable: OnUnreadable,
  ): AsyncGenerator<Item> {
    const fetchPage = async (offset: number, limit: number): Promise<Page> => {
      const page = { ...query, offset: String(offset), limit: String(limit) };
      const operation = name === 'backups' ? listBackups : listInstances;
      const attempted = await retry(() => ask(`list-${name}`, operation, { query: page }), budget, timing);
      if ('refusal' in attempted) throw attempted.refusal;
      const { [name]: items, total_count: total } = attempted.answer;
      return { items: Array.isArray(items) ? items : [], total: Number(total) };
    };
    for await (const item of paginate(fetchPage, PAGE[name], identify)) {
      const record = read(item);
      if (isUnreadable(record)) onUnreadable(record);
      else yield record;
    }
  }

  return {
    submitBackup: async (request, budget) => {
      const body = JSON.stringify(request);
      const attempted: Attempted<object> = await retry(
        () => ask('create-backup', createBackup, { body }),
        budget,
        timing,
      );
      if ('refusal' in attempted) return attempted;
      const { job_id, backup_id } = fieldsOf(attempted.answer);
      const text = JSON.stringify(attempted.answer);
      return { ...attempted, answer: { job_id: String(job_id), backup_id: String(backup_id), status: 200, text } };
    },
    deleteBackup: (id, budget) => retry(() => ask('delete-backup', deleteBackup, { id }), budget, timing),
    listBackups: (query, budget, skip = () => {}) => list('backups', query, budget, readBackup, skip),
    listInstances: (query, budget, skip = () => {}) => list('instances', query, budget, readInstance, skip),
    clockOffset: estimate.offset,
  };
}

const isUnreadable = (record: unknown): record is UnreadableRecord =>
  typeof record === 'object' && record !== null && 'field' in record;
