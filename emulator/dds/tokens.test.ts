import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_PROJECT_ID, DEMO_PROJECT_NAME, DEMO_USER } from './seed.ts';
import { type CallResult, send } from './signed-call.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const OTHER = { id: 'other-project', name: 'eu-de_other', users: [{ ...DEMO_USER, name: 'other' }] };
const start = (): Promise<Emulator> => startEmulator({ clock: () => NOW, projects: [OTHER] });

const request = (scope: unknown = { project: { id: DEMO_PROJECT_ID } }, user: object = {}) => {
  const { name, password, domain } = DEMO_USER;
  const given = { name, password, domain: { name: domain }, ...user };
  return { auth: { identity: { methods: ['password'], password: { user: given } }, scope } };
};
const signIn = (emulator: Emulator, body: unknown): Promise<CallResult> =>
  send(emulator, { method: 'POST', target: '/v3/auth/tokens', body: JSON.stringify(body) });
const list = (emulator: Emulator, token: string, project = DEMO_PROJECT_ID): Promise<CallResult> =>
  send(emulator, { target: `/v3/${project}/backups`, headers: { 'x-auth-token': token } });
const tokenOf = ({ headers }: CallResult): string => String(headers['x-subject-token']);

describe('POST /v3/auth/tokens', () => {
  it.each([
    ['by id', { project: { id: DEMO_PROJECT_ID } }],
    ['by name', { project: { name: DEMO_PROJECT_NAME } }],
  ])('project %s → 201, and a token that is valid for 24 hours', async (_, scope) => {
    await using emulator = await start();
    const answer = await signIn(emulator, request(scope));
    expect(answer).toMatchObject({
      status: 201,
      body: {
        token: {
          issued_at: '2026-03-01T12:00:00.000000Z',
          expires_at: '2026-03-02T12:00:00.000000Z',
          project: { id: DEMO_PROJECT_ID, name: DEMO_PROJECT_NAME },
          user: { name: DEMO_USER.name, domain: { name: DEMO_USER.domain } },
          catalog: [{ type: 'ddsv3', endpoints: [{ url: `${emulator.url}/v3/${DEMO_PROJECT_ID}` }] }],
        },
      },
    });
    expect((await list(emulator, tokenOf(answer))).status).toBe(200);
  });

  it.each([
    ['a wrong password', request(undefined, { password: 'wrong' }), 401],
    ['an unknown user', request(undefined, { name: 'x' }), 401],
    ['a user of another account', request(undefined, { domain: { name: 'x' } }), 401],
    ['an unknown project', request({ project: { id: 'x' } }), 401],
    ['a project of other users', request({ project: { id: OTHER.id } }), 401],
    ['no scope', request(null), 400],
    ['another method', { auth: { ...request().auth, identity: { methods: ['totp'] } } }, 400],
    ['no object', 'auth', 400],
  ])('%s → %#: no token', async (_, body, status) => {
    await using emulator = await start();
    const answer = await signIn(emulator, body);
    expect(answer).toMatchObject({ status, body: { error: { code: status } } });
    expect(answer.headers['x-subject-token']).toBeUndefined();
  });

  it('any request → recorded without its password', async () => {
    await using emulator = await start();
    await signIn(emulator, request());
    expect(emulator.requests).toMatchObject([{ operation: 'create-token', status: 201, body: undefined }]);
  });
});

describe('X-Auth-Token', () => {
  it('valid, then 24 hours later → expired', async () => {
    await using emulator = await start();
    const token = tokenOf(await signIn(emulator, request()));
    emulator.control.advance({ millis: 24 * 3_600_000 - 1 });
    expect((await list(emulator, token)).status).toBe(200);
    emulator.control.advance({ millis: 1 });
    expect(await list(emulator, token)).toMatchObject({
      status: 401,
      body: {
        error_code: 'APIGW.0301',
        error_msg: 'Incorrect IAM authentication information: token expires, expires_at:2026-03-02T12:00:00.000000Z',
      },
    });
  });

  it('unknown → 401 decrypt token fail', async () => {
    await using emulator = await start();
    expect(await list(emulator, 'MIIx')).toMatchObject({
      status: 401,
      body: { error_code: 'APIGW.0301', error_msg: 'Incorrect IAM authentication information: decrypt token fail' },
    });
  });

  it('of another project → 400 DBS.200010', async () => {
    await using emulator = await start();
    const token = tokenOf(await signIn(emulator, request()));
    expect(await list(emulator, token, OTHER.id)).toMatchObject({ status: 400, body: { error_code: 'DBS.200010' } });
  });
});
