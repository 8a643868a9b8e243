import { beforeEach, describe, expect, it } from 'vitest';
import { logLines } from '../../test/support/log-lines.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { Failure } from '../errors.ts';
import { MINUTE, SECOND } from '../time.ts';
import { readConfig } from './config.ts';
import { credentialStore } from './credentials.ts';

const HOOK = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const SECRET = { ak: 'AK-1', sk: 'SK-1', webhook_secret: HOOK };
const IN_ENVIRONMENT = { OTC_SDK_AK: 'ENV', OTC_SDK_SK: 'ENV' };

let time: ReturnType<typeof virtualTime>;
/** The names under which the secret was read. */
let reads: string[];
/** What the next reads give. */
let answer: () => Promise<string>;
const lines = logLines();

const holds = (value: unknown) => {
  answer = async () => JSON.stringify(value);
};
const fails = (error: Error = new Failure('SecretUnavailable', 'No answer.')) => {
  answer = () => Promise.reject(error);
};

beforeEach(() => {
  time = virtualTime();
  reads = [];
  holds(SECRET);
});

const store = (more: Readonly<Record<string, string>> = {}) => {
  const env = { OTC_SDK_PROJECT_ID: 'p', OTC_CREDENTIALS_SECRET: 'dds/key', ...more };
  const readSecret = (secretId: string) => {
    reads.push(secretId);
    return answer();
  };
  return credentialStore(() => readConfig(env), env, readSecret, time.now);
};

describe('the key in a secret', () => {
  it.each([
    [{}, {}],
    [{ security_token: 'T' }, { securityToken: 'T' }],
    [{ security_token: '' }, {}],
    [{ more: 1 }, {}],
  ])('secret with %j → the key', async (more, expected) => {
    holds({ ...SECRET, ...more });
    expect(await store().credentials('p')).toEqual({ ak: 'AK-1', sk: 'SK-1', ...expected });
    expect(reads).toEqual(['dds/key']);
  });

  it('not asked for → not read', () => {
    store();
    expect(reads).toEqual([]);
  });

  it('both uses, within five minutes → read once', async () => {
    const keys = store();
    await keys.credentials('p');
    expect(await keys.webhookSecret()).toBe(HOOK);
    time.advance(5 * MINUTE - 1);
    await keys.credentials('p');
    expect(reads).toHaveLength(1);
    time.advance(1);
    await keys.credentials('p');
    expect(reads).toHaveLength(2);
  });

  it('renew → read at once, for all that follow', async () => {
    const keys = store();
    await keys.credentials('p');
    holds({ ...SECRET, ak: 'AK-2' });
    expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-1' });
    expect(await keys.credentials('p', { renew: true })).toMatchObject({ ak: 'AK-2' });
    expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-2' });
    expect(reads).toHaveLength(2);
  });

  it('several callers at once → read once', async () => {
    const keys = store();
    const [key, hook] = await Promise.all([
      keys.credentials('p'),
      keys.webhookSecret(),
      keys.credentials('p', { renew: true }),
    ]);
    expect({ key, hook }).toEqual({ key: { ak: 'AK-1', sk: 'SK-1' }, hook: HOOK });
    expect(reads).toHaveLength(1);
  });

  it('no webhook_secret → undefined', async () => {
    holds({ ak: 'AK-1', sk: 'SK-1' });
    expect(await store().webhookSecret()).toBeUndefined();
  });

  it('webhook_secret alone → given, the key is not', async () => {
    holds({ webhook_secret: HOOK });
    const keys = store();
    expect(await keys.webhookSecret()).toBe(HOOK);
    await expect(keys.credentials('p')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: 'The secret dds/key, project p: ak and sk are missing.',
    });
  });

  it.each(['private', 7, { key: 'private' }, 'whsec_short'])(
    'webhook_secret that is malformed: %j → the key is given all the same',
    async (webhook_secret) => {
      holds({ ...SECRET, webhook_secret });
      const keys = store();
      expect(await keys.credentials('p')).toEqual({ ak: 'AK-1', sk: 'SK-1' });
      expect(await keys.webhookSecret()).toBe(String(webhook_secret));
    },
  );
});

describe('a secret with keys of projects', () => {
  const OWN = { ak: 'AK-P', sk: 'SK-P', security_token: 'T' };

  it.each<[string, unknown, string]>([
    ['its own key → that', { p: OWN, q: { ak: 'AK-Q', sk: 'SK-Q' } }, 'AK-P'],
    ['no key of its own → that of all', { q: OWN }, 'AK-1'],
    ['projects that are not an object → that of all', 'private', 'AK-1'],
  ])('project with %s', async (_, projects, ak) => {
    holds({ ...SECRET, projects });
    expect(await store().credentials('p')).toMatchObject({ ak });
  });

  it.each<[string, unknown]>([
    ['without sk', { ak: 'AK-P' }],
    ['that is not an object', 'private'],
  ])('project with a key of its own %s → ConfigurationError for that project only', async (_, key) => {
    holds({ ...SECRET, projects: { p: key } });
    const keys = store();
    await expect(keys.credentials('p')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/^The secret dds\/key, project p: .*missing\.$/),
    });
    expect(await keys.credentials('q')).toMatchObject({ ak: 'AK-1' });
  });

  it('no key of all, project without its own → ConfigurationError that names it', async () => {
    holds({ projects: { p: OWN } });
    const keys = store();
    expect(await keys.credentials('p')).toEqual({ ak: 'AK-P', sk: 'SK-P', securityToken: 'T' });
    await expect(keys.credentials('q')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('project q'),
    });
    expect(reads).toHaveLength(1);
  });
});

describe('keys in the environment', () => {
  it('all of them → the secret is not read', async () => {
    const keys = store({ ...IN_ENVIRONMENT, WEBHOOK_SECRET: HOOK });
    expect(await keys.credentials('p')).toEqual({ ak: 'ENV', sk: 'ENV' });
    expect(await keys.credentials('p', { renew: true })).toEqual({ ak: 'ENV', sk: 'ENV' });
    expect(await keys.webhookSecret()).toBe(HOOK);
    expect(reads).toEqual([]);
  });

  it('key alone → the webhook secret comes from the secret', async () => {
    const keys = store(IN_ENVIRONMENT);
    expect(await keys.credentials('p')).toEqual({ ak: 'ENV', sk: 'ENV' });
    expect(await keys.webhookSecret()).toBe(HOOK);
    expect(reads).toHaveLength(1);
  });

  it('no secret named → no webhook secret', async () => {
    expect(await store({ ...IN_ENVIRONMENT, OTC_CREDENTIALS_SECRET: '' }).webhookSecret()).toBeUndefined();
    expect(reads).toEqual([]);
  });

  it('configuration not complete → ConfigurationError, the secret is not read', async () => {
    const keys = store({ OTC_SDK_PROJECT_ID: '' });
    await expect(keys.credentials('p')).rejects.toMatchObject({ name: 'ConfigurationError' });
    await expect(keys.webhookSecret()).rejects.toMatchObject({ name: 'ConfigurationError' });
    expect(reads).toEqual([]);
  });
});

describe('a secret that cannot be used', () => {
  it.each<[string, string, RegExp]>([
    ['no JSON', 'AKIA: private', /dds\/key is malformed: it is not a JSON object/],
    ['a text', '"private"', /not a JSON object/],
    ['null', 'null', /not a JSON object/],
    ['empty', '{}', /ak and sk are missing/],
    ['half a key', '{"ak":"private"}', /sk is missing/],
    ['the other half', '{"sk":"private"}', /ak is missing/],
    ['a key with a line feed', '{"ak":"AK","sk":"private\\n"}', /sk holds white space/],
    ['a key that is a number', '{"ak":7,"sk":"private"}', /ak must be a string/],
    ['a token that is not ASCII', '{"ak":"AK","sk":"SK","security_token":"privaté"}', /security_token holds/],
  ])('%s → ConfigurationError without a word of it', async (_, text, message) => {
    answer = async () => text;
    const reading = store().credentials('p');
    await expect(reading).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(message),
    });
    await expect(reading).rejects.not.toMatchObject({ message: expect.stringMatching(/privat/) });
  });

  it('failure → remembered for five seconds, for both uses', async () => {
    fails();
    const keys = store();
    const failed = { name: 'SecretUnavailable', message: 'No answer.' };
    await expect(keys.credentials('p')).rejects.toMatchObject(failed);
    holds(SECRET);
    time.advance(5 * SECOND - 1);
    await expect(keys.credentials('p')).rejects.toMatchObject(failed);
    await expect(keys.webhookSecret()).rejects.toMatchObject(failed);
    await expect(keys.credentials('p', { renew: true })).rejects.toMatchObject(failed);
    expect(reads).toHaveLength(1);
    time.advance(1);
    expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-1' });
    expect(reads).toHaveLength(2);
  });

  it('failure that is remembered → a new error each time, since errors are annotated', async () => {
    fails();
    const keys = store();
    const errors: unknown[] = [];
    for (let i = 0; i < 3; i++) await keys.credentials('p').catch((error: unknown) => errors.push(error));
    expect(new Set(errors).size).toBe(3);
  });

  it('error that is not a Failure → thrown, not remembered', async () => {
    fails(new TypeError('a bug'));
    const keys = store();
    await expect(keys.credentials('p')).rejects.toThrow('a bug');
    holds(SECRET);
    expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-1' });
  });
});

describe('a secret that cannot be read again', () => {
  it.each([
    ['not reached', () => fails()],
    ['deleted', () => fails(new Failure('ConfigurationError', 'It does not exist.'))],
    ['malformed', () => holds('private')],
  ])('%s → the older copy, and a line in the log', async (_, breakIt) => {
    const keys = store();
    await keys.credentials('p');
    time.advance(6 * MINUTE);
    breakIt();
    expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-1' });
    expect(await keys.webhookSecret()).toBe(HOOK);
    expect(lines).toMatchObject([
      {
        level: 'warn',
        event: 'secret.stale',
        reason: expect.stringMatching(/^(SecretUnavailable|ConfigurationError)$/),
        message: expect.any(String),
        age_seconds: 360,
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('private');
    expect(reads).toHaveLength(2);
  });

  it('for long → read every five seconds at most, as long as it takes', async () => {
    const keys = store();
    await keys.credentials('p');
    fails();
    time.advance(5 * MINUTE);
    for (let second = 0; second < 60; second++) {
      expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-1' });
      time.advance(SECOND);
    }
    expect(reads).toHaveLength(1 + 12);
    holds({ ...SECRET, ak: 'AK-2' });
    expect(await keys.credentials('p')).toMatchObject({ ak: 'AK-2' });
  });

  it('renew → the older copy', async () => {
    const keys = store();
    await keys.credentials('p');
    fails();
    expect(await keys.credentials('p', { renew: true })).toMatchObject({ ak: 'AK-1' });
    expect(lines).toMatchObject([{ event: 'secret.stale', age_seconds: 0 }]);
  });
});
