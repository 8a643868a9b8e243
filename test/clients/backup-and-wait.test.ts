/** clients/backup-and-wait.sh: the real script and the real curl against a real server. */
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { run, type Settings, SHELLS, start } from './run-script.ts';
import {
  type Answer,
  accepted,
  answer,
  backup,
  building,
  busy,
  completed,
  error,
  hangUp,
  ID,
  notFound,
  type Received,
  scriptedServer,
  silence,
  truncated,
} from './scripted-server.ts';
import { type Signed, verify } from './signature.ts';

const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';
const KEY = 'release-7';

const options = (url: string, ...more: string[]): string[] => [
  ...['--url', url, '--instance-id', INSTANCE, '--name-prefix', 'before-migration', '--idempotency-key', KEY],
  ...more,
];

/** Runs the script against these answers, with the usual options and more. */
async function against(answers: readonly Answer[], more: readonly string[] = [], settings: Settings = {}) {
  await using server = await scriptedServer(answers);
  const ended = await run(options(server.url, ...more), settings);
  const asked = server.received.map(({ method }) => method).join(' ');
  return { ...ended, received: server.received, asked };
}

const COMPLETED = { code: 0, stdout: `${ID}\n`, leftovers: [] };

describe('backup-and-wait.sh', { timeout: 20_000 }, () => {
  describe.each(SHELLS)('shell $name', (shell) => {
    it('backup: busy, unreachable, accepted, building, completed → its id, exit 0', async () => {
      const answers = [busy, hangUp, accepted, notFound, building, building, completed];
      const { received, ...ended } = await against(answers, ['--description', 'caf\u00e9 "7" \\ \t'], { shell });
      expect(ended).toMatchObject({ ...COMPLETED, asked: 'POST POST POST GET GET GET GET', pauses: [7, 2, 2, 3, 3] });
      expect(received.map(({ path }) => path)).toEqual([
        ...Array(3).fill('/backups'),
        ...Array(4).fill(`/backups/${ID}`),
      ]);
      expect(JSON.parse(received[2]?.body ?? '')).toEqual({
        backup: { instance_id: INSTANCE, name_prefix: 'before-migration', description: 'caf\u00e9 "7" \\ \t' },
      });
      expect(ended.stderr.split('\n')).toEqual([
        `backup-and-wait: Asks for a backup of ${INSTANCE} with the idempotency key ${KEY}.`,
        'backup-and-wait: Waits and asks again: HTTP 403 InstanceBusy: The text of InstanceBusy.',
        expect.stringMatching(/^backup-and-wait: Waits and asks again: no answer, curl: \(52\) /),
        `backup-and-wait: Backup ${ID} is accepted.`,
        `backup-and-wait: Backup ${ID} is not listed yet.`,
        `backup-and-wait: Backup ${ID} is BUILDING.`,
        `backup-and-wait: Backup ${ID} is COMPLETED.`,
        '',
      ]);
    });

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const)('signal: %s in a pause → ends at once, exit %i', async (signal, code) => {
      await using server = await scriptedServer([accepted, backup('BUILDING', { 'retry-after': '60' })]);
      const running = await start(options(server.url), { shell, realTime: true });
      await vi.waitUntil(() => server.received.length === 2, { timeout: 5000, interval: 5 });
      await setTimeout(100);
      running.signal(signal);
      const ended = await running.ended;
      expect(ended).toMatchObject({ code, stdout: '', leftovers: [] });
      expect(ended.stderr).toContain(
        `Interrupted. Backup ${ID} goes on in DDS. To ask for the same backup again: --idempotency-key ${KEY}\n`,
      );
      await vi.waitUntil(() => !running.isAlive(), { timeout: 2000 });
    });
  });

  it('signal: SIGINT while no answer comes → curl is ended, exit 130', async () => {
    await using server = await scriptedServer([silence]);
    const running = await start(options(server.url), { realTime: true });
    await vi.waitUntil(() => server.received.length === 1, { timeout: 5000, interval: 5 });
    running.signal('SIGINT');
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 130, stdout: '', leftovers: [] });
    expect(ended.stderr).toContain(`The backup may go on in DDS. To ask for the same backup again: --idempotency-key`);
    await vi.waitUntil(() => !running.isAlive(), { timeout: 2000 });
  });

  describe('asking', () => {
    it('request: POST → JSON, the key, no Prefer, nothing of .curlrc, no signature', async () => {
      const { received } = await against([accepted, completed]);
      expect(received[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': KEY });
      expect(received[0]?.headers).not.toHaveProperty('prefer');
      expect(received[0]?.headers).not.toHaveProperty('authorization');
      expect(received[0]?.headers['user-agent']).toMatch(/^curl/);
      expect(received[0]?.body).toBe(`{"backup":{"instance_id":"${INSTANCE}","name_prefix":"before-migration"}}`);
    });

    it.each<[string, Answer, number]>([
      ['busy', busy, 7],
      ['busy, other status', error(409, 'InstanceBusy'), 2],
      ['throttled by DDS, status 400', error(400, 'Throttled', { 'retry-after': '5' }), 5],
      ['throttled by the gateway', answer(429, { message: 'Too Many Requests' }), 2],
      ['unavailable', error(503, 'DdsUnavailable', { 'retry-after': '30' }), 30],
      ['outcome unknown', error(504, 'OutcomeUnknown', { 'retry-after': '30' }), 30],
      ['our credentials refused', error(502, 'CredentialsRefused'), 2],
      ['5xx of the gateway', answer(503, { message: 'Service Unavailable' }), 2],
      ['HTML, 502', answer(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' }), 2],
      ['HTML, 200', answer(200, `<html>"backup_id":"${ID}"</html>`, { 'content-type': 'text/html' }), 2],
      ['200 without an id', answer(200, { job_id: 'x' }), 2],
      ['200 with an empty body', answer(200, ''), 2],
      ['200 with an id that is malformed', answer(200, { backup_id: '../x' }), 2],
      ['200 with an id that is too long', answer(200, { backup_id: 'x'.repeat(65) }), 2],
      ['200 that quotes an id', answer(200, { text: `"backup_id":"${ID}"` }), 2],
      ['200, cut off by a proxy', answer(200, `{"backup_id":"${ID}"`), 2],
      ['202 deferred', answer(202, { status: 'DEFERRED', name: 'n', instance_id: INSTANCE }), 2],
      ['no answer', hangUp, 2],
      ['half an answer', truncated, 2],
      ['Retry-After 0', error(503, 'Throttled', { 'retry-after': '0' }), 1],
      ['Retry-After 08', error(503, 'Throttled', { 'retry-after': '08' }), 8],
      ['Retry-After too long', error(503, 'Throttled', { 'retry-after': '86400' }), 300],
      ['Retry-After beyond all numbers', error(503, 'Throttled', { 'retry-after': '9'.repeat(30) }), 2],
      ['Retry-After as a date', error(503, 'Throttled', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), 2],
    ])('answer: %s → asks again with the same key', async (_, first, pause) => {
      const { received, ...ended } = await against([first, accepted, completed]);
      expect(ended).toMatchObject({ ...COMPLETED, asked: 'POST POST GET', pauses: [pause] });
      expect(received[1]?.headers['idempotency-key']).toBe(KEY);
      expect(received[1]?.body).toBe(received[0]?.body);
    });

    it.each<[string, Answer, string]>([
      ['InvalidRequest', error(400, 'InvalidRequest'), 'HTTP 400 InvalidRequest: The text of InvalidRequest.'],
      [
        'InstanceNotFound',
        error(404, 'InstanceNotFound'),
        'HTTP 404 InstanceNotFound: The text of InstanceNotFound.\n',
      ],
      ['BackupNameTaken', error(400, 'BackupNameTaken'), 'HTTP 400 BackupNameTaken: '],
      ['BackupFailed', error(409, 'BackupFailed'), 'HTTP 409 BackupFailed: '],
      ['DdsRejected, status 502', error(502, 'DdsRejected'), 'HTTP 502 DdsRejected: '],
      ['ConfigurationError, status 500', error(500, 'ConfigurationError'), 'HTTP 500 ConfigurationError: '],
      ['Unauthorized', error(401, 'Unauthorized'), 'HTTP 401 Unauthorized: '],
      ['4xx with a reason that is new', error(409, 'SomethingNew'), 'HTTP 409 SomethingNew: '],
      [
        'the gateway wants a signature',
        answer(403, { message: 'Forbidden' }),
        'give --aws-region and set AWS_ACCESS_KEY_ID',
      ],
      ['401 without a body', answer(401, ''), 'give --aws-region and set AWS_ACCESS_KEY_ID'],
      ['a path that is not there', answer(404, { message: 'Not Found' }), 'HTTP 404. Check --url.'],
      ['a redirect', answer(302, '', { location: '/login' }), 'HTTP 302. Check --url.'],
    ])('answer: %s → says why, exit 1', async (_, first, message) => {
      const ended = await against([first]);
      expect(ended).toMatchObject({ code: 1, stdout: '', asked: 'POST', pauses: [], leftovers: [] });
      expect(ended.stderr).toContain(`backup-and-wait: Refused: `);
      expect(ended.stderr).toContain(message);
    });

    it('answer: control characters in its text → none is printed', async () => {
      const { stderr } = await against([answer(400, '{"reason":"InvalidRequest","error_msg":"a\u001b[31mb\nc"}')]);
      expect(stderr).toContain('HTTP 400 InvalidRequest: a[31mbc.\n');
    });

    it('server: refuses connections, then starts → asks again', async () => {
      const first = await scriptedServer([]);
      await first.close();
      await using later = new AsyncDisposableStack();
      const ended = await run(options(first.url), {
        onPause: async (pause) => {
          if (pause === 3) later.use(await scriptedServer([accepted, completed], { port: first.port }));
        },
      });
      expect(ended).toMatchObject({ ...COMPLETED, pauses: [2, 4, 8] });
      expect(ended.stderr).toMatch(/no answer, curl: \(7\) /);
    });

    it('server: a certificate that is not trusted → exit 1; trusted → exit 0', async () => {
      const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
      });
      await using server = await scriptedServer([accepted, completed], { tls: { key, cert } });
      const args = options(`https://localhost:${server.port}/backups`);
      const ended = await run(args);
      expect(ended).toMatchObject({ code: 1, stdout: '', pauses: [] });
      expect(ended.stderr).toMatch(/Refused: no answer, curl: \(60\) /);

      await using directory = await mkdtempDisposable(join(tmpdir(), 'client-ca-'));
      const authority = join(directory.path, 'ca.pem');
      await writeFile(authority, cert);
      expect(await run(args, { env: { CURL_CA_BUNDLE: authority } })).toMatchObject(COMPLETED);
    });

    it('server: a name that does not resolve → asks again until the time-out, exit 2', async () => {
      const ended = await run(options('http://dds.invalid/backups', '--timeout', '20'));
      expect(ended).toMatchObject({ code: 2, stdout: '', pauses: [2, 4, 8, 1, 5], leftovers: [] });
      expect(ended.stderr).toMatch(
        /Time-out after 20 seconds\. Last: no answer, curl: \(6\) .*--idempotency-key release-7\n$/,
      );
    });

    it('instance: busy for too long → exit 2, says how to continue', async () => {
      const ended = await against(Array(20).fill(busy), ['--timeout', '21']);
      expect(ended).toMatchObject({ code: 2, stdout: '', pauses: [7, 7, 2, 5], leftovers: [] });
      expect(ended.stderr).toContain(
        'Time-out after 21 seconds. Last: HTTP 403 InstanceBusy: The text of InstanceBusy.',
      );
      expect(ended.stderr).toContain(`To ask for the same backup again: --idempotency-key ${KEY}\n`);
    });

    it('instance: busy without Retry-After → the pauses grow to a minute', async () => {
      const { pauses } = await against([...Array(7).fill(error(403, 'InstanceBusy')), accepted, completed]);
      expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60]);
    });

    it('server: silent → curl ends with the time left, exit 2', async () => {
      const ended = await against([silence], ['--timeout', '1']);
      expect(ended).toMatchObject({ code: 2, asked: 'POST', pauses: [1] });
      expect(ended.stderr).toMatch(/Last: no answer, curl: \(28\) /);
    });

    it('key: none given → a new one for each run, the same within it', async () => {
      await using server = await scriptedServer([busy, accepted, completed, accepted, completed]);
      const args = ['--url', server.url, '--instance-id', INSTANCE, '--name-prefix', 'p'];
      const first = await run(args);
      await run(args);
      const keys = server.received.flatMap(({ headers }) => headers['idempotency-key'] ?? []);
      expect(keys).toEqual([keys[0], keys[0], keys[2]]);
      expect(new Set(keys).size).toBe(2);
      expect(keys[0]).toMatch(/^backup-and-wait-\d{8}T\d{6}Z-\d+-[0-9a-f]{16}$/);
      expect(first.stderr).toContain(`with the idempotency key ${keys[0]}.`);
    });
  });

  describe('waiting', () => {
    it.each(['completed', 'Completed', 'COMPLETED'])('status: %s → exit 0', async (status) => {
      expect(await against([accepted, backup(status)])).toMatchObject({ ...COMPLETED, asked: 'POST GET', pauses: [] });
    });

    it.each(['FAILED', 'failed', 'DISABLED'])('status: %s → exit 1, the id in the message', async (status) => {
      const ended = await against([accepted, building, backup(status)]);
      expect(ended).toMatchObject({ code: 1, stdout: '', leftovers: [] });
      expect(ended.stderr).toContain(`Backup ${ID} is ${status.toUpperCase()}. See DDS for the reason.`);
    });

    it.each<[string, Answer, number]>([
      ['BUILDING without Retry-After', backup('BUILDING'), 2],
      ['a status that is new', backup('PAUSED', { 'retry-after': '9' }), 9],
      ['200 without Backup-Status', answer(200, { backup: { status: 'COMPLETED' } }), 2],
      ['HTML', answer(200, '<html>', { 'content-type': 'text/html' }), 2],
      ['throttled', error(429, 'Throttled', { 'retry-after': '5' }), 5],
      ['unavailable', answer(500, { message: 'Internal Server Error' }), 2],
      ['no answer', hangUp, 2],
      ['half an answer', truncated, 2],
      ['not listed', notFound, 2],
    ])('answer: %s → asks again', async (_, first, pause) => {
      const ended = await against([accepted, first, completed]);
      expect(ended).toMatchObject({ ...COMPLETED, asked: 'POST GET GET', pauses: [pause] });
    });

    it('server: goes away and comes back → asks again', async () => {
      const first = await scriptedServer([accepted, building]);
      await using later = new AsyncDisposableStack();
      const ended = await run(options(first.url), {
        onPause: async (pause) => {
          if (pause === 1) await first.close();
          if (pause === 3) later.use(await scriptedServer([completed], { port: first.port }));
        },
      });
      expect(ended).toMatchObject({ ...COMPLETED, pauses: [3, 2, 4] });
      expect(ended.stderr).toMatch(/Waits and asks again: no answer, curl: \(7\) /);
    });

    it('backup: not listed for two minutes → exit 1, the id in the message', async () => {
      const ended = await against([accepted, ...Array(20).fill(error(404, 'BackupNotFound', { 'retry-after': '30' }))]);
      expect(ended).toMatchObject({ code: 1, stdout: '', pauses: [30, 30, 30, 30] });
      expect(ended.stderr).toContain(`Backup ${ID} is not listed after 120 seconds. Look for it in DDS.`);
    });

    it('backup: not listed, listed, not listed for a while → is waited for', async () => {
      const missing = error(404, 'BackupNotFound', { 'retry-after': '30' });
      const answers = [accepted, missing, missing, missing, building, missing, missing, missing, completed];
      expect(await against(answers)).toMatchObject(COMPLETED);
    });

    it('backup: builds for too long → exit 2, the id and the key in the message', async () => {
      const ended = await against([accepted, ...Array(20).fill(building)], ['--timeout', '10']);
      expect(ended).toMatchObject({ code: 2, stdout: '', leftovers: [] });
      expect(ended.stderr).toContain(
        `Time-out after 10 seconds. Last: the backup is BUILDING. Backup ${ID} goes on in DDS. To ask for the same backup again: --idempotency-key ${KEY}\n`,
      );
    });

    it('credentials: no longer accepted → exit 1, the id and the key in the message', async () => {
      const ended = await against([accepted, building, answer(403, { message: 'Forbidden' })]);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toMatch(new RegExp(`Cannot see backup ${ID}: HTTP 403\\. .*--idempotency-key ${KEY}\n$`));
    });
  });

  describe('options', () => {
    it('--help: given → says how to use it, exit 0', async () => {
      const { code, stdout, stderr } = await run(['--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const { source } of [/--url URL/, /--timeout SECONDS/, /Exit status/]) expect(stdout).toMatch(source);
    });

    const URL = 'https://x.test/backups';
    it.each<[string, string[], string]>([
      ['none', [], 'Missing option: --url.'],
      ['no instance', ['--url', URL, '--name-prefix', 'p'], 'Missing option: --instance-id.'],
      ['no prefix', ['--url', URL, '--instance-id', 'i'], 'Missing option: --name-prefix.'],
      ['unknown', options(URL, '--colour', 'red'), 'Unknown option: --colour.'],
      ['an argument that is no option', options(URL, 'now'), 'Unknown option: now.'],
      ['given twice', options(URL, '--url', URL), 'Option --url is given twice.'],
      [
        'given twice, empty',
        options(URL, '--description', '', '--description', ''),
        'Option --description is given twice.',
      ],
      ['without a value', options(URL, '--timeout'), 'Option --timeout has no value.'],
      ['with an empty value', ['--url', ''], 'The value of --url is empty.'],
      ['with a line break', options(URL, '--description', 'a\nb'), 'The value of --description has a line break.'],
      ['time-out in words', options(URL, '--timeout', 'abc'), 'Invalid --timeout: abc. Give a number of seconds.'],
      ['time-out below zero', options(URL, '--timeout', '-5'), 'Invalid --timeout: -5. '],
      ['time-out of zero', options(URL, '--timeout', '0'), 'Invalid --timeout: 0. '],
      ['time-out with a unit', options(URL, '--timeout', '60s'), 'Invalid --timeout: 60s. '],
      ['time-out beyond all numbers', options(URL, '--timeout', '9'.repeat(30)), 'Invalid --timeout: '],
      ['URL of another scheme', options('ftp://x.test/backups'), 'Invalid --url: ftp://x.test/backups. '],
      ['URL of a file', options('file:///backups'), 'Invalid --url: file:///backups. '],
      ['URL without a scheme', options('x.test/backups'), 'Invalid --url: x.test/backups. '],
      ['URL without a host', options('https:///backups'), 'Invalid --url: https:///backups. '],
      ['URL of the root', options('https://x.test/'), 'Give an http or https URL that ends in /backups.'],
      ['URL with a query', options(`${URL}?x=/backups`), 'Give it without spaces, user, query and fragment.'],
      ['URL with a user', options('https://a:b@x.test/backups'), 'Give it without spaces, user, query and fragment.'],
      ['URL with a space', options('https://x.test/a b/backups'), 'Give it without spaces, user, query and fragment.'],
      [
        'key with a space',
        ['--url', URL, '--instance-id', 'i', '--name-prefix', 'p', '--idempotency-key', 'a b'],
        'Invalid --idempotency-key: a b. ',
      ],
      [
        'key too long',
        ['--url', URL, '--instance-id', 'i', '--name-prefix', 'p', '--idempotency-key', 'k'.repeat(257)],
        'Invalid --idempotency-key: it is longer than 256 characters.',
      ],
    ])('options: %s → says so, exit 64', async (_, args, message) => {
      const ended = await run(args, { curl: 'echo asked >>"$ROOT/notes"' });
      expect(ended).toMatchObject({ code: 64, stdout: '', leftovers: [], notes: '' });
      expect(ended.stderr).toContain(message);
      expect(ended.stderr).toMatch(/ See --help\.\n$/);
      expect(ended.stderr.split('\n')).toHaveLength(2);
    });

    it.each([
      ['quotes', `it's "so"`],
      ['backslashes', 'a\\b\\\\n\\'],
      ['UTF-8', 'Pr\u00fcfung \u{1F4BE} \u00fc'],
      ['leading dashes', '--description'],
      ['a leading @', '@/etc/passwd'],
      ['shell syntax', '$(exit 3) `x` $HOME * ; & |'],
      ['printf syntax', '%s %d \\n %'],
      ['control characters', 'a\tb\u0001c\u001bd\re\u007f'],
      ['JSON', '","name":"x'],
      ['curl syntax', '{a,b}[1-3]'],
    ])('value: %s → arrives as it is', async (_, value) => {
      await using server = await scriptedServer([accepted, completed]);
      const args = ['--url', server.url, '--instance-id', value, '--name-prefix', value, '--description', value];
      expect(await run(args)).toMatchObject(COMPLETED);
      expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
        backup: { instance_id: value, name_prefix: value, description: value },
      });
    });

    it.each([
      ['--description ""', ['--description', ''], { pauses: [] }],
      ['--timeout 0060', ['--timeout', '0060'], { pauses: [] }],
    ])('option: %s → accepted', async (_, more, expected) => {
      const { received, ...ended } = await against([accepted, completed], more);
      expect(ended).toMatchObject({ ...COMPLETED, ...expected });
      expect(JSON.parse(received[0]?.body ?? '').backup).not.toHaveProperty('description');
    });

    it('--url: slashes at the end, a stage, curl syntax → asks below it', async () => {
      await using server = await scriptedServer([accepted, completed]);
      expect(await run(options(`${server.origin}/{prod,x}[1-2]/backups//`))).toMatchObject(COMPLETED);
      expect(server.received.map(({ path }) => path)).toEqual([
        '/{prod,x}[1-2]/backups',
        `/{prod,x}[1-2]/backups/${ID}`,
      ]);
    });

    it('curl: missing → says so, exit 64', async () => {
      const ended = await run(options(URL), { curl: null });
      expect(ended).toMatchObject({ code: 64, stdout: '', leftovers: [] });
      expect(ended.stderr).toBe(
        'backup-and-wait: curl is missing. Install curl, or add its directory to PATH. See --help.\n',
      );
    });
  });

  describe('signing', () => {
    const credentials = {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    };
    const session = { ...credentials, sessionToken: 'IQoJb3JpZ2luX2VjE+/token==' };
    const environment = (from: Partial<typeof session>) => ({
      AWS_ACCESS_KEY_ID: from.accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: from.secretAccessKey ?? '',
      ...(from.sessionToken && { AWS_SESSION_TOKEN: from.sessionToken }),
    });
    const region = ['--aws-region', 'eu-central-1'];

    let signed: (Signed | undefined)[];
    beforeEach(() => {
      signed = [];
    });

    /** A gateway that verifies the signature before it lets a request through. */
    const gateway = (by: Partial<typeof session>, next: Answer): Answer => {
      return (request: Received, response) => {
        const found = verify(request, by);
        signed.push(found);
        (found ? next : answer(403, { message: 'The request signature we calculated does not match.' }))(
          request,
          response,
        );
      };
    };

    it.each([
      ['key and secret', credentials, ['content-type', 'host', 'idempotency-key', 'x-amz-date']],
      ['session', session, ['content-type', 'host', 'idempotency-key', 'x-amz-date', 'x-amz-security-token']],
    ])('signature: %s → verified by aws4, exit 0', async (_, by, signedHeaders) => {
      const answers = [busy, accepted, building, completed].map((next) => gateway(by, next));
      const more = [...region, '--description', 'caf\u00e9 "7"'];
      const ended = await against(answers, more, { env: environment(by) });
      expect(ended).toMatchObject({ ...COMPLETED, asked: 'POST POST GET GET' });
      expect(signed).toHaveLength(4);
      expect(signed[0]).toEqual({ region: 'eu-central-1', service: 'execute-api', signedHeaders });
      expect(signed[2]?.signedHeaders).toContain('host');
    });

    it('host: a function URL → signed for lambda', async () => {
      await using server = await scriptedServer(
        [accepted, completed].map((next) => {
          const checked = gateway(credentials, next);
          // As a proxy, the server is asked with the whole URL.
          return (request, response) => checked({ ...request, path: new URL(request.path).pathname }, response);
        }),
      );
      const args = options('http://abc.lambda-url.eu-central-1.on.aws/backups', ...region);
      const env = { ...environment(credentials), http_proxy: server.origin };
      expect(await run(args, { env })).toMatchObject(COMPLETED);
      expect(signed.map((one) => one?.service)).toEqual(['lambda', 'lambda']);
    });

    it('secret: a wrong one → 403, says what to check, exit 1', async () => {
      const env = environment({ ...credentials, secretAccessKey: 'wrong' });
      const ended = await against([gateway(credentials, accepted)], region, { env });
      expect(ended).toMatchObject({ code: 1, stdout: '', asked: 'POST' });
      expect(ended.stderr).toContain(
        'HTTP 403. The gateway refuses it: check the AWS credentials, --aws-region, the clock',
      );
    });

    it('credentials: signed requests → in no argument of curl, nowhere in the output', async () => {
      const curl = 'printf "%s\\n" "$@" >>"$ROOT/notes"; exec "$CURL" "$@"';
      const answers = [busy, accepted, completed].map((next) => gateway(session, next));
      const { received, ...ended } = await against(answers, region, { curl, env: environment(session) });
      expect(ended).toMatchObject(COMPLETED);
      expect(ended.notes).toContain('aws:amz:eu-central-1:execute-api');
      for (const secret of Object.values(session)) expect(JSON.stringify(ended)).not.toContain(secret);
    });

    it('credentials: temporary files → hold none', async () => {
      const curl = 'cat "$TMPDIR"/*/* >>"$ROOT/notes" 2>&1; exec "$CURL" "$@"';
      const answers = [accepted, completed].map((next) => gateway(session, next));
      const { notes, code } = await against(answers, region, { curl, env: environment(session) });
      expect(code).toBe(0);
      expect(notes).toContain(INSTANCE);
      for (const secret of Object.values(session)) expect(notes).not.toContain(secret);
    });

    it.each<[string, Partial<typeof session>, string]>([
      ['no key', { secretAccessKey: 's' }, 'AWS_ACCESS_KEY_ID is not set. --aws-region needs it.'],
      ['no secret', { accessKeyId: 'a' }, 'AWS_SECRET_ACCESS_KEY is not set. --aws-region needs it.'],
      [
        'line break',
        { ...credentials, secretAccessKey: 's\nurl = "http://x"' },
        'AWS_SECRET_ACCESS_KEY has a character that no AWS key has.',
      ],
      ['quote', { ...session, sessionToken: 'a"b' }, 'AWS_SESSION_TOKEN has a character that no AWS key has.'],
    ])('credentials: %s → says so without the value, exit 64', async (_, by, message) => {
      const ended = await against([], region, { env: environment(by) });
      expect(ended).toMatchObject({ code: 64, asked: '', leftovers: [] });
      expect(ended.stderr).toContain(message);
      expect(ended.stderr.split('\n')).toHaveLength(2);
    });

    it('--aws-region: not a region → says so, exit 64', async () => {
      const ended = await against([], ['--aws-region', 'eu central:1'], { env: environment(credentials) });
      expect(ended).toMatchObject({ code: 64, asked: '' });
      expect(ended.stderr).toContain('Invalid --aws-region: eu central:1. Give a region such as eu-central-1.');
    });

    describe('curl version', () => {
      const claims = (version: string) =>
        `if [ "$1" = --version ]; then echo "curl ${version} (x86_64)"; else exec "$CURL" "$@"; fi`;
      const env = environment(credentials);

      it.each(['7.85.0', '7.79.1', '7.9.8', '6.5'])('curl: %s → too old to sign, exit 64', async (version) => {
        const ended = await against([], region, { curl: claims(version), env });
        expect(ended).toMatchObject({ code: 64, asked: '' });
        expect(ended.stderr).toBe(
          `backup-and-wait: curl ${version.split('.', 2).join('.')} is too old to sign. Install curl 7.86 or newer. See --help.\n`,
        );
      });

      it.each(['7.86.0', '7.88.1', '7.100.0', '8.5.0', '10.0.0'])('curl: %s → signs', async (version) => {
        const answers = [accepted, completed].map((next) => gateway(credentials, next));
        expect(await against(answers, region, { curl: claims(version), env })).toMatchObject(COMPLETED);
      });

      it('curl: an old one, nothing to sign → asks', async () => {
        expect(await against([accepted, completed], [], { curl: claims('7.40.0') })).toMatchObject(COMPLETED);
      });
    });
  });
});
