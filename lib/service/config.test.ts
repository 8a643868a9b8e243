import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../time.ts';
import { readConfig, readCredentials, readMonitorConfig } from './config.ts';

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

describe('readConfig', () => {
  it('key and project → DDS in eu-de, requests for a day', () => {
    expect(readConfig(COMPLETE)).toMatchObject({
      projects: [{ id: 'p', region: 'eu-de', endpoint: 'https://dds.eu-de.otc.t-systems.com' }],
      credentials: { ak: 'AK', sk: 'SK' },
      maxRequestAgeMillis: DAY,
    });
  });

  it('temporary key → with its token', () => {
    expect(readConfig({ ...COMPLETE, OTC_SDK_SECURITY_TOKEN: 'T' }).credentials).toEqual({
      ak: 'AK',
      sk: 'SK',
      securityToken: 'T',
    });
  });

  it('name of a secret instead of a key → that name, no key', () => {
    const config = readConfig({ OTC_SDK_PROJECT_ID: 'p', OTC_CREDENTIALS_SECRET: 's' });
    expect(config).toMatchObject({ secretId: 's' });
    expect(config).not.toHaveProperty('credentials');
  });

  it.each([
    ['eu-de', 'https://dds.eu-de.otc.t-systems.com'],
    ['eu-nl', 'https://dds.eu-nl.otc.t-systems.com'],
    ['eu-ch2', 'https://dds.eu-ch2.sc.otc.t-systems.com'],
    ['', 'https://dds.eu-de.otc.t-systems.com'],
  ])('region %j → %s', (region, endpoint) => {
    expect(readConfig({ ...COMPLETE, OTC_SDK_REGION: region }).projects).toMatchObject([{ endpoint }]);
  });

  it.each([
    ['https://dds.example.com', 'https://dds.example.com'],
    ['https://dds.example.com:8443', 'https://dds.example.com:8443'],
    ['http://127.0.0.1:8090', 'http://127.0.0.1:8090'],
    ['http://[::1]:8090', 'http://[::1]:8090'],
    ['http://localhost:1/', 'http://localhost:1'],
  ])('DDS_ENDPOINT %s, whatever the region → %s', (DDS_ENDPOINT, endpoint) => {
    expect(readConfig({ ...COMPLETE, OTC_SDK_REGION: 'mars', DDS_ENDPOINT }).projects).toMatchObject([{ endpoint }]);
  });

  it.each([
    ['', 24],
    ['1', 1],
    ['0.5', 0.5],
    ['168', 168],
  ])('MAX_REQUEST_AGE_HOURS %j → %d hours', (MAX_REQUEST_AGE_HOURS, hours) => {
    expect(readConfig({ ...COMPLETE, MAX_REQUEST_AGE_HOURS }).maxRequestAgeMillis).toBe(hours * HOUR);
  });

  it.each(['', 'required', 'none'])('HTTP_AUTH %j → accepted', (HTTP_AUTH) => {
    expect(readConfig({ ...COMPLETE, HTTP_AUTH })).toEqual(readConfig(COMPLETE));
  });

  it.each(['whsec_short', 'not a secret'])('WEBHOOK_SECRET %j → only signatures need it', (WEBHOOK_SECRET) => {
    expect(readConfig({ ...COMPLETE, WEBHOOK_SECRET })).toEqual(readConfig(COMPLETE));
  });
});

describe('OTC_SDK_PROJECTS', () => {
  const several = (OTC_SDK_PROJECTS: string, more = {}) => ({ ...COMPLETE, OTC_SDK_PROJECTS, ...more });

  it('several projects → each with its region and endpoint, instead of the one', () => {
    expect(readConfig(several(' eu-de:a,eu-nl:b , eu-ch2:c')).projects).toEqual([
      { id: 'a', region: 'eu-de', endpoint: 'https://dds.eu-de.otc.t-systems.com' },
      { id: 'b', region: 'eu-nl', endpoint: 'https://dds.eu-nl.otc.t-systems.com' },
      { id: 'c', region: 'eu-ch2', endpoint: 'https://dds.eu-ch2.sc.otc.t-systems.com' },
    ]);
  });

  it('DDS_ENDPOINT → that of all', () => {
    const { projects } = readConfig(several('eu-de:a,mars:b', { DDS_ENDPOINT: 'https://dds.example.com' }));
    expect(projects.map(({ endpoint }) => endpoint)).toEqual(['https://dds.example.com', 'https://dds.example.com']);
  });

  it.each([
    ['a', 'OTC_SDK_PROJECTS must be a list'],
    ['eu-de:', 'OTC_SDK_PROJECTS must be a list'],
    ['eu-de:a,', 'OTC_SDK_PROJECTS must be a list'],
    ['eu-de:a:b', 'OTC_SDK_PROJECTS must be a list'],
    ['eu-de:../x', 'OTC_SDK_PROJECTS must be a list'],
    ['eu-moon:a', 'the region in OTC_SDK_PROJECTS must be one of'],
    ['eu moon:a', 'OTC_SDK_PROJECTS must be a list'],
    ['eu-de:a,eu-nl:a', 'OTC_SDK_PROJECTS names a project twice'],
  ])('%j → %s', (projects, problem) => {
    expect(problemOf(several(projects))).toContain(problem);
  });
});

describe('a configuration that is wrong', () => {
  it('empty → one error that names all that is missing', () => {
    const problem = problemOf({});
    for (const name of ['OTC_SDK_PROJECT_ID', 'OTC_SDK_AK', 'OTC_SDK_SK', 'OTC_CREDENTIALS_SECRET'])
      expect(problem).toContain(name);
  });

  it('empty variable → missing', () => {
    expect(problemOf({ ...COMPLETE, OTC_SDK_PROJECT_ID: '' })).toContain('OTC_SDK_PROJECT_ID is missing');
  });

  it.each([
    [{ OTC_SDK_AK: 'AK' }, 'OTC_SDK_SK is missing'],
    [{ OTC_SDK_SK: 'SK', OTC_CREDENTIALS_SECRET: 's' }, 'OTC_SDK_AK is missing'],
  ])('half a key, even beside a secret: %j → %s', (half, problem) => {
    expect(problemOf({ OTC_SDK_PROJECT_ID: 'p', ...half })).toContain(problem);
  });

  it.each([
    ['OTC_SDK_AK', 'A K'],
    ['OTC_SDK_PROJECT_ID', 'project\n'],
    ['OTC_SDK_PROJECT_ID', '../../v3/another'],
    ['OTC_SDK_SK', 'very-secret\n'],
    ['OTC_SDK_SECURITY_TOKEN', 'tökén'],
    ['DDS_ENDPOINT', 'dds.example.com'],
    ['DDS_ENDPOINT', 'http://dds.example.com'],
    ['DDS_ENDPOINT', 'http://127.0.0.1.example.com'],
    ['DDS_ENDPOINT', 'https://dds.example.com/v3'],
    ['DDS_ENDPOINT', 'https://user:password@dds.example.com'],
    ['DDS_ENDPOINT', 'https://dds.example.com?x'],
    ['HTTP_AUTH', 'off'],
    ['HTTP_AUTH', 'None'],
    ['MAX_REQUEST_AGE_HOURS', '0'],
    ['MAX_REQUEST_AGE_HOURS', '-1'],
    ['MAX_REQUEST_AGE_HOURS', 'a day'],
    ['MAX_REQUEST_AGE_HOURS', 'Infinity'],
    ['MAX_REQUEST_AGE_HOURS', '1e3'],
    ['MAX_REQUEST_AGE_HOURS', '10000'],
  ])('%s is %j → named, without its value', (name, value) => {
    const problem = problemOf({ ...COMPLETE, [name]: value });
    expect(problem).toContain(name);
    // The limits of a number may hold its digits.
    if (!/^[\d-]+$/.test(value)) expect(problem).not.toContain(value);
  });

  it.each(['eu-moon', 'EU-DE', 'eu-de '])('region %j → those that there are, without its value', (OTC_SDK_REGION) => {
    const problem = problemOf({ ...COMPLETE, OTC_SDK_REGION });
    expect(problem).toContain('the region in OTC_SDK_REGION must be one of eu-de, eu-nl, eu-ch2, or set DDS_ENDPOINT');
    expect(problem).not.toContain('moon');
  });

  it('several → all named at once', () => {
    const problem = problemOf({ OTC_SDK_AK: 'A K', OTC_SDK_REGION: 'x', HTTP_AUTH: 'y', MAX_REQUEST_AGE_HOURS: 'z' });
    for (const name of [
      'OTC_SDK_AK',
      'OTC_SDK_SK',
      'OTC_SDK_PROJECT_ID',
      'region',
      'HTTP_AUTH',
      'MAX_REQUEST_AGE_HOURS',
    ])
      expect(problem).toContain(name);
  });
});

describe('readMonitorConfig', () => {
  it.each([{}, { STUCK_AFTER_HOURS: '', MAX_BACKUP_AGE_OVERRIDES: '' }])(
    'the bus and %j → stuck after 12 hours',
    (env) => {
      expect(readMonitorConfig({ EVENT_BUS: 'default', ...env })).toMatchObject({
        stuckAfterHours: 12,
      });
    },
  );

  it.each([
    ['0.5', 0.5],
    ['48', 48],
  ])('STUCK_AFTER_HOURS %s → %d', (STUCK_AFTER_HOURS, hours) => {
    expect(readMonitorConfig({ EVENT_BUS: 'default', STUCK_AFTER_HOURS })).toMatchObject({ stuckAfterHours: hours });
  });

  it.each(['0', '0.0', '-1', '12h', '1e3', '10000', ' 12'])('STUCK_AFTER_HOURS %j → named', (hours) => {
    expect(() => readMonitorConfig({ EVENT_BUS: 'default', STUCK_AFTER_HOURS: hours })).toThrow('STUCK_AFTER_HOURS');
  });

  it.each([
    ',',
    'a',
    'a=',
    'a=on',
    'a=1.5',
    '=off',
    'a=off,',
    'a b=off',
    'a=off;b=off',
    'a_b=off',
    `${'x'.repeat(65)}=off`,
  ])('MAX_BACKUP_AGE_OVERRIDES %j → named', (overrides) => {
    expect(() => readMonitorConfig({ EVENT_BUS: 'default', MAX_BACKUP_AGE_OVERRIDES: overrides })).toThrow(
      'MAX_BACKUP_AGE_OVERRIDES',
    );
  });

  it('several wrong → all named at once', () => {
    const wrong = () => readMonitorConfig({ STUCK_AFTER_HOURS: 'x', MAX_BACKUP_AGE_OVERRIDES: ',' });
    for (const name of ['EVENT_BUS', 'STUCK_AFTER_HOURS', 'MAX_BACKUP_AGE_OVERRIDES']) expect(wrong).toThrow(name);
  });
});

describe('readCredentials', () => {
  const read = (fields: Parameters<typeof readCredentials>[0]) => {
    const problems: string[] = [];
    const credentials = readCredentials(
      fields,
      (text) => void problems.push(text),
      (field) => `<${field}>`,
    );
    return { credentials, problems };
  };

  it.each([
    [{}, undefined],
    [{ ak: '', sk: '' }, undefined],
    [{ ak: null, sk: undefined }, undefined],
    [
      { ak: 'AK', sk: 'SK' },
      { ak: 'AK', sk: 'SK' },
    ],
    [
      { ak: 'AK', sk: 'SK', security_token: 'T' },
      { ak: 'AK', sk: 'SK', securityToken: 'T' },
    ],
  ])('%j → %j', (fields, credentials) => {
    expect(read(fields)).toEqual({ credentials, problems: [] });
  });

  it.each([
    [{ ak: 'AK' }, ['<sk> is missing']],
    [{ sk: 'SK' }, ['<ak> is missing']],
    [{ ak: 'A K', sk: 'SK' }, ['<ak> holds white space or a character that is not ASCII']],
    [{ ak: 'AK', sk: 7 }, ['<sk> must be a string']],
    [{ ak: 7, sk: 'S\nK' }, ['<ak> must be a string', '<sk> holds white space or a character that is not ASCII']],
  ])('%j → %j', (fields, problems) => {
    expect(read(fields).problems).toEqual(problems);
  });
});
