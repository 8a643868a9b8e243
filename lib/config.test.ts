import { describe, expect, it } from 'vitest';
import { readConfig, readWatchConfig } from './config.ts';

const COMPLETE = { OTC_SDK_AK: 'AK', OTC_SDK_SK: 'SK', OTC_SDK_PROJECT_ID: 'p' };

const problemOf = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigurationError') return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
};

describe('the configuration', () => {
  it('needs a key and a project, and is for eu-de unless told otherwise', () => {
    expect(readConfig(COMPLETE)).toEqual({
      projectId: 'p',
      endpoint: 'https://dds.eu-de.otc.t-systems.com',
      keys: { credentials: { ak: 'AK', sk: 'SK' } },
    });
  });

  it('takes a temporary key', () => {
    expect(readConfig({ ...COMPLETE, OTC_SDK_SECURITY_TOKEN: 'T' }).keys.credentials).toEqual({
      ak: 'AK',
      sk: 'SK',
      securityToken: 'T',
    });
  });

  it('takes the name of a secret instead of a key', () => {
    expect(readConfig({ OTC_SDK_PROJECT_ID: 'p', OTC_CREDENTIALS_SECRET: 's' })).toMatchObject({
      secretId: 's',
      keys: {},
    });
  });

  it.each([
    ['eu-de', 'https://dds.eu-de.otc.t-systems.com'],
    ['eu-nl', 'https://dds.eu-nl.otc.t-systems.com'],
    ['eu-ch2', 'https://dds.eu-ch2.sc.otc.t-systems.com'],
  ])('finds DDS in %s', (region, endpoint) => {
    expect(readConfig({ ...COMPLETE, OTC_SDK_REGION: region }).endpoint).toBe(endpoint);
  });

  it.each(['https://dds.example.com', 'https://dds.example.com:8443', 'http://127.0.0.1:8090', 'http://[::1]:8090'])(
    'takes %s for DDS, in any region',
    (DDS_ENDPOINT) => {
      expect(readConfig({ ...COMPLETE, OTC_SDK_REGION: 'mars', DDS_ENDPOINT }).endpoint).toBe(DDS_ENDPOINT);
    },
  );

  it('takes an endpoint with a slash at its end', () => {
    expect(readConfig({ ...COMPLETE, DDS_ENDPOINT: 'http://localhost:1/' }).endpoint).toBe('http://localhost:1');
  });
});

describe('a configuration that is wrong', () => {
  it('is one error that names all that is missing', () => {
    const problem = problemOf({});
    expect(problem).toContain('OTC_SDK_PROJECT_ID');
    expect(problem).toContain('OTC_SDK_AK');
    expect(problem).toContain('OTC_SDK_SK');
    expect(problem).toContain('OTC_CREDENTIALS_SECRET');
  });

  it('counts an empty variable as missing', () => {
    expect(problemOf({ ...COMPLETE, OTC_SDK_PROJECT_ID: '' })).toContain('OTC_SDK_PROJECT_ID is missing');
  });

  it('has half a key, even beside a secret', () => {
    expect(problemOf({ OTC_SDK_PROJECT_ID: 'p', OTC_SDK_AK: 'AK' })).toContain('OTC_SDK_SK is missing');
    expect(problemOf({ OTC_SDK_PROJECT_ID: 'p', OTC_SDK_SK: 'SK', OTC_CREDENTIALS_SECRET: 's' })).toContain(
      'OTC_SDK_AK is missing',
    );
  });

  it.each([
    ['OTC_SDK_AK', 'A K'],
    ['OTC_SDK_PROJECT_ID', 'project\n'],
    ['OTC_SDK_PROJECT_ID', '../../v3/another'],
    ['OTC_SDK_SK', 'very-secret\n'],
    ['OTC_SDK_SECURITY_TOKEN', 'tökén'],
    ['OTC_SDK_REGION', 'eu-moon'],
    ['DDS_ENDPOINT', 'dds.example.com'],
    ['DDS_ENDPOINT', 'http://dds.example.com'],
    ['DDS_ENDPOINT', 'http://127.0.0.1.example.com'],
    ['DDS_ENDPOINT', 'https://dds.example.com/v3'],
    ['DDS_ENDPOINT', 'https://user:password@dds.example.com'],
    ['DDS_ENDPOINT', 'https://dds.example.com?x'],
    ['HTTP_AUTH', 'off'],
    ['WEBHOOK_SECRET', 'whsec_short'],
    ['WEBHOOK_SECRET', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['WEBHOOK_SECRET', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'],
  ])('names %s when it is %j, without its value', (name, value) => {
    const problem = problemOf({ ...COMPLETE, [name]: value });
    expect(problem).toContain(name);
    expect(problem).not.toContain(value);
  });

  it('names everything that is wrong at once', () => {
    const problem = problemOf({ OTC_SDK_AK: 'A K', OTC_SDK_REGION: 'x', HTTP_AUTH: 'y', WEBHOOK_SECRET: 'z' });
    for (const name of [
      'OTC_SDK_AK',
      'OTC_SDK_SK',
      'OTC_SDK_PROJECT_ID',
      'OTC_SDK_REGION',
      'HTTP_AUTH',
      'WEBHOOK_SECRET',
    ]) {
      expect(problem).toContain(name);
    }
  });
});

describe('what watch is told', () => {
  it('is the bus, and the limit of 12 hours for every instance unless told otherwise', () => {
    expect(readWatchConfig({ EVENT_BUS: 'default' })).toEqual({ stuckAfterHours: 12, ignored: new Set() });
    expect(readWatchConfig({ EVENT_BUS: 'default', STUCK_AFTER_HOURS: '', FRESHNESS_IGNORES: '' })).toEqual({
      stuckAfterHours: 12,
      ignored: new Set(),
    });
  });

  it('takes another limit, and instances to leave out', () => {
    const env = { EVENT_BUS: 'default', STUCK_AFTER_HOURS: '0.5', FRESHNESS_IGNORES: 'scratch-1,scratch-2, scratch-3' };
    expect(readWatchConfig(env)).toEqual({
      stuckAfterHours: 0.5,
      ignored: new Set(['scratch-1', 'scratch-2', 'scratch-3']),
    });
  });

  it.each(['0', '0.0', '-1', '12h', '1e3', '10000', ' 12'])('names a limit of %j hours', (hours) => {
    expect(() => readWatchConfig({ EVENT_BUS: 'default', STUCK_AFTER_HOURS: hours })).toThrow('STUCK_AFTER_HOURS');
  });

  it.each([',', 'a,', 'a b', 'a;b', 'a_b', 'x'.repeat(65)])('names ids that are none: %j', (ids) => {
    expect(() => readWatchConfig({ EVENT_BUS: 'default', FRESHNESS_IGNORES: ids })).toThrow('FRESHNESS_IGNORES');
  });

  it('names all that is wrong at once', () => {
    const wrong = () => readWatchConfig({ STUCK_AFTER_HOURS: 'x', FRESHNESS_IGNORES: ',' });
    for (const name of ['EVENT_BUS', 'STUCK_AFTER_HOURS', 'FRESHNESS_IGNORES']) expect(wrong).toThrow(name);
  });
});
