/** The official SDK, as published, against the emulator: what it accepts and refuses, the emulator must. */
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { HcClient, type HttpRequestOptions } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { DefaultHttpClient } from '@huaweicloud/huaweicloud-sdk-core/http/DefaultHttpClient.js';
import { type Logger, LogLevel } from '@huaweicloud/huaweicloud-sdk-core/logger/index.js';
import type { SdkResponse } from '@huaweicloud/huaweicloud-sdk-core/SdkResponse.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Credentials } from '../../lib/otc/signer.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID, DEMO_TEMPORARY_CREDENTIALS } from './seed.ts';

/** By default the SDK writes every error to standard output, with the headers of the request. */
const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ backupMillis: 0, jobDelayMillis: 0 });
});
afterAll(() => emulator.close());

function connect({ ak, sk, securityToken }: Credentials): HcClient {
  const credentials = new BasicCredentials().withAk(ak).withSk(sk).withProjectId(DEMO_PROJECT_ID);
  if (securityToken !== undefined) credentials.withSecurityToken(securityToken);
  // What the SDK's ClientBuilder puts together; that class itself needs `uuid`, which its package does not depend on.
  const client = new DefaultHttpClient({ logger }, [emulator.url]);
  return new HcClient(client).withEndpoints([emulator.url]).withCredential(credentials);
}

/** Whatever came back, with the members that are read below. */
interface Answer extends SdkResponse {
  readonly job_id?: unknown;
  readonly backup_id?: unknown;
  readonly backups?: unknown;
}

const ask = (client: HcClient, options: Partial<HttpRequestOptions>): Promise<Answer> =>
  client.sendRequest({
    method: 'GET',
    url: '/v3/{project_id}/backups',
    contentType: 'application/json',
    queryParams: {},
    pathParams: { project_id: DEMO_PROJECT_ID },
    headers: {},
    ...options,
  });

describe.each([
  ['permanent', DEMO_CREDENTIALS],
  ['temporary', DEMO_TEMPORARY_CREDENTIALS],
])('official client with a %s key', (kind, credentials) => {
  const name = `official-${kind}`;

  it('each operation → as documented', async () => {
    const client = connect(credentials);
    const created = await ask(client, {
      method: 'POST',
      data: { backup: { instance_id: DEMO_INSTANCE.id, name, description: 'ä, ö und ü' } },
    });
    expect(created).toEqual({ job_id: expect.any(String), backup_id: expect.any(String), httpStatusCode: 200 });

    const job = await ask(client, { url: '/v3/{project_id}/jobs', queryParams: { id: created.job_id } });
    expect(job).toMatchObject({ job: { id: created.job_id, status: 'Completed' } });

    const queryParams = {
      instance_id: DEMO_INSTANCE.id,
      backup_type: 'Manual',
      limit: 10,
      offset: 0,
      begin_time: '2020-01-01 00:00:00',
      end_time: '2099-12-31 23:59:59',
    };
    const listed = await ask(client, { queryParams });
    expect(listed.backups).toContainEqual(
      expect.objectContaining({ id: created.backup_id, name, status: 'COMPLETED' }),
    );

    const instance = { id: DEMO_INSTANCE.id };
    const instances = await ask(client, {
      url: '/v3/{project_id}/instances',
      queryParams: { ...instance, name: '*order', mode: 'ReplicaSet', datastore_type: 'DDS-Community', limit: 1 },
    });
    expect(instances).toMatchObject({ instances: [{ ...instance, engine: 'rocksDB' }], total_count: 1 });

    const policy = await ask(client, { url: `/v3/{project_id}/instances/${instance.id}/backups/policy` });
    expect(policy).toMatchObject({ backup_policy: { keep_days: 7, start_time: '19:00-20:00' } });

    const deleted = await ask(client, { method: 'DELETE', url: `/v3/{project_id}/backups/${created.backup_id}` });
    expect(deleted).toEqual({ job_id: expect.any(String), httpStatusCode: 200 });
    const deletion = await ask(client, { url: '/v3/{project_id}/jobs', queryParams: { id: deleted.job_id } });
    expect(deletion).toMatchObject({ job: { id: deleted.job_id, status: 'Running' } });
    expect(emulator.backups.find((backup) => backup.name === name)?.status).toBe('DISABLED');
  });

  it('invalid name → DDS’s error', async () => {
    const data = { backup: { instance_id: DEMO_INSTANCE.id, name: 'abc' } };
    await expect(ask(connect(credentials), { method: 'POST', data })).rejects.toMatchObject({
      httpStatusCode: 400,
      errorCode: 'DBS.280277',
      errorMsg: 'Invalid backup name.',
    });
  });

  it('wrong secret → 401 APIGW.0301', async () => {
    await expect(ask(connect({ ...credentials, sk: 'wrong' }), {})).rejects.toMatchObject({
      httpStatusCode: 401,
      errorCode: 'APIGW.0301',
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });
});

it('official client with a temporary key without its token → 401 APIGW.0301', async () => {
  const { ak, sk } = DEMO_TEMPORARY_CREDENTIALS;
  await expect(ask(connect({ ak, sk }), {})).rejects.toMatchObject({ httpStatusCode: 401, errorCode: 'APIGW.0301' });
});
