/** The DDS v3 API, as far as it is used here. Reference: Document Database Service API, "Backup and Restoration". */
import type { HttpAnswer } from '../http/client.ts';
import { type JsonObject, parseJson, textOf } from '../json.ts';
import type { Credentials } from '../otc/signer.ts';
import { type OtcRequest, signingClient } from '../otc/signing-client.ts';
import type { Timing } from '../time.ts';
import { invalidAnswer, succeeded } from './errors.ts';
import { type Page, paginate } from './paginate.ts';
import { identify, readBackup, readInstance } from './records.ts';
import { type Attempted, type Budget, retry } from './retry.ts';
import { type ClockOffset, clockEstimate } from './time.ts';
import type {
  CreateBackupRequest,
  CreateBackupResponse,
  ListBackupsQuery,
  ListedBackup,
  ListedInstance,
  ListInstancesQuery,
  UnreadableRecord,
} from './types.ts';

export interface DdsClientOptions {
  /** Scheme and authority, such as `https://dds.eu-de.otc.t-systems.com`. */
  readonly endpoint: string;
  readonly projectId: string;
  /** Asked before every request; with `renew` after the gateway refused what it gave. */
  readonly credentials: (options?: { readonly renew: boolean }) => Promise<Credentials>;
  readonly timing: Timing;
  /** How long one attempt may take. */
  readonly attemptMillis: number;
}

/** An accepted backup: what DDS answered, and that verbatim. */
export interface AcceptedBackup extends CreateBackupResponse {
  readonly status: number;
  readonly text: string;
}

export type OnUnreadable = (record: UnreadableRecord) => void;

/**
 * Every call retries each of its requests within the budget (see `retry`), and once with renewed credentials after they
 * were refused. It throws DdsError where DDS or its gateway refuses, and Failure `UpstreamUnreachable`,
 * `UpstreamTimeout` or `UpstreamInvalid` where there is no answer that the reference promises.
 */
export interface DdsClient {
  /** `POST /v3/{project_id}/backups`: DDS accepts the backup and makes it later. Refusals are returned, not thrown. */
  submitBackup(request: CreateBackupRequest, budget: Budget): Promise<Attempted<AcceptedBackup>>;
  /**
   * `GET /v3/{project_id}/backups`: every full backup that matches, automated and manual, newest first.
   * @param onUnreadable called for each listed record that is skipped because it cannot be read
   */
  listBackups(query: ListBackupsQuery, budget: Budget, onUnreadable?: OnUnreadable): AsyncGenerator<ListedBackup>;
  /** `DELETE /v3/{project_id}/backups/{backup_id}`: DDS accepts the deletion. Refusals are returned, not thrown. */
  deleteBackup(id: string, budget: Budget): Promise<Attempted<unknown>>;
  /** `GET /v3/{project_id}/instances`: every instance of the project, or the one with this id where it is there. */
  listInstances(query: ListInstancesQuery, budget: Budget, onUnreadable?: OnUnreadable): AsyncGenerator<ListedInstance>;
  /** How far DDS's clock is from ours, as its answers so far tell. */
  clockOffset(): ClockOffset;
}

/** An answer is read up to 1 MB: a backup takes a fraction of a kilobyte, an instance a part for each of its nodes. */
const PAGE = { backups: 100, instances: 20 } as const;

export function ddsClient({ endpoint, projectId, credentials, timing, attemptMillis }: DdsClientOptions): DdsClient {
  const send = signingClient(endpoint);
  const clock = clockEstimate();
  const headers = { 'content-type': 'application/json', 'x-project-id': projectId };

  async function exchange(request: OtcRequest, key: Credentials, { timeLeft, signal }: Budget): Promise<HttpAnswer> {
    const sent = timing.now();
    const limits = { timeoutMillis: Math.max(1, Math.min(attemptMillis, timeLeft())), signal };
    const answer = await send({ ...request, headers }, key, sent, limits);
    clock.observe(answer.headers.date, sent.getTime(), timing.now().getTime());
    return answer;
  }

  async function attempt(request: OtcRequest, budget: Budget): Promise<{ answer: HttpAnswer; body: JsonObject }> {
    const key = await credentials();
    let answer = await exchange(request, key, budget);
    if (answer.status === 401) {
      const renewed = await credentials({ renew: true });
      if (renewed.ak !== key.ak || renewed.sk !== key.sk) answer = await exchange(request, renewed, budget);
    }
    return { answer, body: succeeded(answer, parseJson(answer.text), timing.now()) };
  }

  const attempted = <T>(
    request: OtcRequest,
    budget: Budget,
    read: (body: JsonObject, answer: HttpAnswer) => T,
  ): Promise<Attempted<T>> => {
    const ask = async () => {
      const { answer, body } = await attempt({ ...request, path: `/v3/${projectId}/${request.path}` }, budget);
      return read(body, answer);
    };
    return retry(ask, budget, timing);
  };

  async function* list<Item>(
    name: keyof typeof PAGE,
    query: ListBackupsQuery | ListInstancesQuery,
    budget: Budget,
    read: (item: unknown) => Item | UnreadableRecord,
    onUnreadable: OnUnreadable,
  ): AsyncGenerator<Item> {
    const fetchPage = async (offset: number, limit: number): Promise<Page> => {
      const page = { ...query, offset: String(offset), limit: String(limit) };
      const result = await attempted(
        { method: 'GET', path: name, query: page },
        budget,
        ({ [name]: items, total_count: total }) => {
          if (Array.isArray(items)) return { items, total: Number(textOf(total)) };
          throw invalidAnswer(`without a list of ${name}`);
        },
      );
      if ('refusal' in result) throw result.refusal;
      return result.answer;
    };
    for await (const item of paginate(fetchPage, PAGE[name], identify)) {
      const record = read(item);
      if (isUnreadable(record)) onUnreadable(record);
      else yield record;
    }
  }

  return {
    submitBackup: (request, budget) =>
      attempted(
        { method: 'POST', path: 'backups', body: JSON.stringify(request) },
        budget,
        ({ job_id, backup_id }, { status, text }) => {
          if (!isId(job_id) || !isId(backup_id)) throw invalidAnswer(`${status} without job_id and backup_id`);
          return { job_id, backup_id, status, text };
        },
      ),
    listBackups: (query, budget, onUnreadable = () => {}) =>
      list('backups', query, budget, (record) => readBackup(record, query.instance_id), onUnreadable),
    deleteBackup: (id, budget) => attempted({ method: 'DELETE', path: `backups/${id}` }, budget, (body) => body),
    listInstances: (query, budget, onUnreadable = () => {}) =>
      list('instances', query, budget, readInstance, onUnreadable),
    clockOffset: clock.offset,
  };
}

const isUnreadable = (record: unknown): record is UnreadableRecord =>
  typeof record === 'object' && record !== null && 'field' in record;

const isId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
