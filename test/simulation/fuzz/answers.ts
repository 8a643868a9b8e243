/** Arbitrary answers of DDS to whatever it is asked: for a backup, for its lists. */
import fc, { type Arbitrary } from 'fast-check';
import type { Fault } from '../../../emulator/dds/faults.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../../../emulator/dds/seed.ts';
import { anything, around } from './values.ts';

/** Stands for the name that is asked for. */
export const NAME = '@name';

/** With characters that JSON may be written with or without an escape for. */
export const FUZZED_KEY = {
  ak: 'SECRETACCESSKEY98765',
  sk: 'SecretSecretKeyOfTheFuzzedKey00000000000',
  securityToken: 'secret/fuzzed+token=="quoted"\\<end>',
};

export interface FuzzedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly when: 'before' | 'after';
}

export const faultOf = ({ text, ...answer }: FuzzedAnswer, name: string): Fault => ({
  kind: 'answer',
  ...answer,
  text: text.replaceAll(NAME, name),
});

const secret = fc.constantFrom(...Object.values(FUZZED_KEY), `Access=${FUZZED_KEY.ak}, SignedHeaders=host`);
const id = fc.oneof(fc.uuid(), fc.stringMatching(/^[\w-]{1,64}$/));
const time = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('2026-03-01 12:00:00', '2026-03-01T12:00:00Z', '2026-02-28 11:00:00') },
  { weight: 1, arbitrary: fc.constantFrom('2099-01-01 00:00:00', '2026-02-30 00:00:00', '0000-00-00 00:00:00', '') },
);
const status = fc.constantFrom('BUILDING', 'COMPLETED', 'FAILED', 'DISABLED', 'completed', 'Failed', 'EXPIRED');

const accepted = fc.record({ job_id: id, backup_id: id });
const refusal = fc.record(
  {
    error_code: fc.oneof(
      fc.constantFrom('DBS.201201', 'DBS.201015', 'DBS.280042', 'DBS.200998', 'DBS.280005', 'DBS.200002', 'APIGW.0301'),
      fc.string({ maxLength: 80 }),
    ),
    error_msg: fc.oneof(
      secret.map((text) => `Incorrect: ${text}`),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constant('x'.repeat(3000)),
    ),
  },
  { requiredKeys: ['error_code'] },
);
const backup = fc.record({
  id,
  name: fc.oneof(fc.constant(NAME), fc.constant('another-backup')),
  instance_id: fc.constantFrom(DEMO_INSTANCE.id, DEMO_OTHER_INSTANCE.id),
  type: fc.constantFrom('Manual', 'Auto', 'manual'),
  begin_time: time,
  end_time: time,
  status,
  size: fc.oneof(fc.nat(), fc.constantFrom('17', -1, 1e300)),
  description: fc.oneof(fc.constantFrom('', null), secret),
});
const backups = fc.record({ backups: fc.array(backup, { maxLength: 4 }), total_count: fc.nat(200) });
const instances = fc.record({
  instances: fc.array(
    fc.record({
      id: fc.constantFrom(DEMO_INSTANCE.id, 'another'),
      name: fc.string({ maxLength: 20 }),
      status: fc.constantFrom('normal', 'abnormal'),
      created: time,
      tags: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: fc.string({ maxLength: 5 }) }), {
        maxLength: 2,
      }),
    }),
    { maxLength: 3 },
  ),
  total_count: fc.nat(5),
});

const json = (value: Arbitrary<unknown>) => value.map((parsed) => JSON.stringify(parsed) ?? '');
const text = fc.oneof(
  { weight: 3, arbitrary: json(around(accepted)) },
  { weight: 4, arbitrary: json(around(refusal)) },
  { weight: 6, arbitrary: json(around(backups)) },
  { weight: 2, arbitrary: json(around(instances)) },
  { weight: 2, arbitrary: json(anything) },
  { weight: 1, arbitrary: fc.tuple(json(backups), fc.nat(200)).map(([whole, length]) => whole.slice(0, length)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: secret.map((echo) => `<html>Authorization: ${echo}</html>`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'null', '{', '\ufeff{}', '"', '{"a":1,"a":2}', '['.repeat(20_000)) },
);

const httpStatus = fc.oneof(
  { weight: 6, arbitrary: fc.constant(200) },
  { weight: 3, arbitrary: fc.constantFrom(202, 400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
);
const headers = fc.record(
  {
    'retry-after': fc.constantFrom('1', '0', '-1', '86400', '1e9', 'Sun, 01 Mar 2026 12:00:03 GMT', 'soon', ''),
    date: fc.constantFrom('Sun, 01 Mar 2026 12:00:00 GMT', 'Thu, 01 Jan 2099 00:00:00 GMT', 'yesterday', ''),
    'content-type': fc.constantFrom('application/json', 'text/html', ''),
  },
  { requiredKeys: [] },
);

const answer: Arbitrary<FuzzedAnswer> = fc.record({
  status: httpStatus,
  headers,
  text,
  when: fc.constantFrom('before', 'after'),
});

export const ASKED = ['http', 'event-bus', 'invoke', 'read', 'list', 'monitor'] as const;
export type Asked = (typeof ASKED)[number];

export interface AnswerCase {
  readonly asked: Asked;
  /** Whether the request gives the name, or a prefix. */
  readonly isGiven: boolean;
  /** To the first requests, one after the other; undefined for the real answer. Later ones get the last again. */
  readonly answers: readonly (FuzzedAnswer | undefined)[];
  /** Whether the last of them is repeated for ever. */
  readonly isEndless: boolean;
}

export const ANSWER_CASES: Arbitrary<AnswerCase> = fc.record({
  asked: fc.constantFrom(...ASKED),
  isGiven: fc.boolean(),
  answers: fc.array(fc.option(answer, { nil: undefined, freq: 5 }), { minLength: 1, maxLength: 5 }),
  isEndless: fc.boolean(),
});
