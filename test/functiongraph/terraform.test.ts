/** The Terraform module, checked without its provider: arguments, references, and what it has in common with the code. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { VARIABLES } from '../../lib/functiongraph/platform.ts';
import { fieldsOf } from '../../lib/json.ts';
import { type Files, type Module, problemsIn, type Resource, readModule } from './terraform-check.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deployment/functiongraph');
const MAX_USER_DATA = 20;

const files: Files = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.tf'))
    .map((file) => [file, readFileSync(join(FOLDER, file), 'utf8')]),
);

let module: Module;
beforeAll(async () => {
  module = await readModule(files);
});

const ofType = (type: string): readonly Resource[] =>
  [...module.resources.values()].filter((resource) => resource.type === `opentelekomcloud_${type}`);
const functions = (): readonly Resource[] => ofType('fgs_function_v2');
const resource = (id: string): Resource['body'] => module.resources.get(`opentelekomcloud_${id}`)?.body ?? {};

/** As the parser returns one. */
const expression = (text: string): string => `\${${text}}`;

/** The names of the entries in an expression such as `jsonencode(merge(…, { NAME = … }))`. */
const entriesIn = (expression: unknown): readonly string[] =>
  Array.from(String(expression).matchAll(/^\s*([A-Z_]+)\s*=/gm), ([, name = '']) => name);

const userDataOf = ({ body }: Resource): readonly string[] => [
  ...Object.keys(fieldsOf(module.locals.user_data)),
  ...entriesIn(body.user_data),
  ...entriesIn(body.encrypted_user_data),
];

it('module → every argument and every reference is right', async () => {
  expect(await problemsIn(module)).toEqual([]);
  expect(module.resources.size).toBeGreaterThan(20);
});

const TERRAFORM = spawnSync('terraform', ['version']).status === 0;
if (!TERRAFORM) console.log('terraform is not installed: the format of deployment/functiongraph is not checked.');

it('files → in the format of terraform fmt, where that is installed', () => {
  if (!TERRAFORM) return;
  const { status, stdout } = spawnSync('terraform', ['fmt', '-check', '-diff'], { cwd: FOLDER, encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

describe('the check itself', () => {
  const REPLACEMENTS: readonly (readonly [what: string, file: string, from: string, to: string, problem: string])[] = [
    ['a misspelt argument', 'functions.tf', 'memory_size ', 'memory_sise ', 'memory_sise is not an argument'],
    ['a missing argument', 'functions.tf', '  timeout       = 300\n', '', 'monitor: timeout is missing'],
    ['a misspelt block', 'alarms.tf', '  metric {', '  metrics {', 'metrics is not an argument'],
    ['a misspelt argument in a block', 'triggers.tf', 'destination =', 'destinaton =', 'destinaton is not an argument'],
    [
      'a missing argument in a nested block',
      'alarms.tf',
      '      name  = "package-functionname"\n',
      '',
      'dimensions: name',
    ],
    [
      'another type',
      'main.tf',
      '"opentelekomcloud_lts_stream_v2"',
      '"opentelekomcloud_lts_topic_v2"',
      'not in the table',
    ],
    ['a dangling resource', 'triggers.tf', 'v2.requests.topic_urn', 'v2.request.topic_urn', 'no such resource'],
    ['a dangling attribute', 'triggers.tf', 'v2.monitor.urn', 'v2.monitor.urm', 'no such attribute'],
    ['a dangling variable', 'triggers.tf', 'var.nightly_schedule', 'var.schedule', 'no such variable'],
    ['a dangling local value', 'functions.tf', 'local.runtime', 'local.run_time', 'no such local value'],
    [
      'a dangling reference in jsonencode',
      'functions.tf',
      'var.report_time',
      'var.report',
      'var.report: no such variable',
    ],
    ['… in nested jsonencode', 'triggers.tf', 'var.nightly_name_prefix', 'var.prefix', 'var.prefix: no such variable'],
    [
      'a dangling attribute behind each.key',
      'agencies.tf',
      'function[each.key].display_name',
      'function[each.key].nam',
      'no such attribute',
    ],
    ['an index that is missing', 'api.tf', 'http[0].urn', 'http.urn', 'an index is missing'],
    ['an index too many', 'triggers.tf', 'v2.monitor.urn', 'v2.monitor[0].urn', 'there is one only'],
    ['each without for_each', 'triggers.tf', '"monitor"\n', 'each.value\n', 'there is no for_each'],
    ['a dangling output', 'outputs.tf', 'v2.event.urn', 'v2.events.urn', 'no such resource'],
    [
      'a variable that is not used',
      'variables.tf',
      'variable "stage"',
      'variable "unused" {}\n\nvariable "stage"',
      'var.unused is not used',
    ],
  ];

  it.each(REPLACEMENTS)('%s → found', async (_, file, from, to, problem) => {
    const text = files[file] ?? '';
    expect(text).toContain(from);
    const mutated = await readModule({ ...files, [file]: text.replace(from, () => to) });
    expect(await problemsIn(mutated)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });
});

describe('functions', () => {
  it('handler, zip and bundle → exist, and belong together', () => {
    expect(
      functions()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['event', 'http', 'monitor', 'retention', 'webhooks']);
    for (const { name, body } of functions()) {
      const [, bundle = ''] = /^(\w+)\.handler$/.exec(String(body.handler)) ?? [];
      expect(bundle, name).toBe(name === 'webhooks' ? 'http' : name);
      expect(existsSync(join(ROOT, `functions/functiongraph/${bundle}.ts`)), bundle).toBe(true);
      expect(existsSync(join(ROOT, `dist/functiongraph/${bundle}.js`)), bundle).toBe(true);
      expect(body.code_filename).toBe(`${bundle}.zip`);
      expect(body.func_code).toBe(`\${filebase64(data.archive_file.bundle["${bundle}"].output_path)}`);
      expect(String(module.data.get('archive_file.bundle')?.body.for_each)).toContain(`"${bundle}"`);
    }
  });

  it('runtime → the one that the bundles are built for', () => {
    for (const { body } of functions()) expect(body.runtime).toBe(expression('local.runtime'));
    expect(module.locals.runtime).toBe('Node.js20.15');
    expect(readFileSync(join(ROOT, 'scripts/build.ts'), 'utf8')).toContain("target: 'node20.15'");
  });

  it('user data → what the code reads, at most 20 entries, secrets encrypted', () => {
    for (const one of functions()) {
      const entries = userDataOf(one);
      expect(entries.filter((name) => !VARIABLES.some((known) => known === name))).toEqual([]);
      expect(entries.length).toBeLessThanOrEqual(MAX_USER_DATA);
      expect(new Set(entries).size).toBe(entries.length);
      expect(entriesIn(one.body.user_data)).not.toContain('WEBHOOK_SECRET');
    }
  });

  it('event → has more time than it waits', () => {
    expect(resource('fgs_function_v2.event').timeout).toBe(expression('var.max_wait_seconds + 600'));
  });
});

describe('who may call', () => {
  const settingOf = (name: string) =>
    /HTTP_AUTH\s*=\s*"(\w+)"/.exec(String(resource(`fgs_function_v2.${name}`).user_data))?.[1];

  it('a function trusts the gateway → all its routes demand IAM or an app', () => {
    expect([settingOf('http'), settingOf('webhooks')]).toEqual(['gateway', 'required']);
    const routes = ofType('apigw_api_v2').map(({ body }) => {
      const [target] = [body.func_graph ?? []].flat().map(fieldsOf);
      return [/v2\.(\w+)\[0\]\.urn/.exec(String(target?.function_urn))?.[1], body.security_authentication_type];
    });
    expect(routes).toEqual([
      ['http', expression('var.api_authentication')],
      ['webhooks', 'NONE'],
    ]);
    const text = files['variables.tf'] ?? '';
    expect(text).toContain('contains(["IAM", "APP"], var.api_authentication)');
    expect(Object.values(files).join('')).not.toContain('"none"');
  });
});

describe('rights', () => {
  const NEEDED = {
    http: ['dds:instance:createManualBackup', 'dds:backup:list'],
    event: ['dds:instance:createManualBackup', 'dds:backup:list', 'smn:topic:publish'],
    monitor: ['dds:backup:list', 'dds:instance:list', 'smn:topic:publish'],
    retention: ['dds:backup:list', 'dds:instance:list', 'dds:backup:delete', 'smn:topic:publish'],
  };

  it('agencies → what each function calls, in one project', () => {
    expect(module.locals.actions).toEqual(NEEDED);
    const [role] = [resource('identity_agency_v3.function').project_role ?? []].flat();
    expect(role).toEqual({
      project: expression('var.project_name'),
      roles: [expression('opentelekomcloud_identity_role_v3.function[each.key].display_name')],
    });
  });

  it.each(['http', 'event', 'monitor', 'retention'])('%s → has the agency of its name', (name) => {
    expect(resource(`fgs_function_v2.${name}`).agency).toBe(
      `\${opentelekomcloud_identity_agency_v3.function["${name}"].name}`,
    );
  });
});

it.each(['event', 'monitor', 'retention'])('asynchronous calls of %s that fail → the alarm topic', (name) => {
  const [failure] = [resource(`fgs_async_invoke_config_v2.${name}`).on_failure ?? []].flat().map(fieldsOf);
  expect(failure?.destination).toBe('SMN');
  expect(String(failure?.param)).toContain('opentelekomcloud_smn_topic_v2.alarms.topic_urn');
});
