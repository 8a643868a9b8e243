import { expect, it } from 'vitest';
import { type Refusal, refusals } from './refusals.ts';

const byCode = new Map<string, Refusal>(Object.values(refusals).map((refusal) => [refusal.error_code, refusal]));

/** The reference's "Error Code", column "Error Information". */
it.each([
  ['DBS.200001', 400, 'Parameter Error'],
  ['DBS.200010', 400, 'Authentication failed.'],
  ['DBS.200018', 403, "This instance's status or its node's status makes it not be allowed to do this operation now."],
  ['DBS.200543', 400, 'The job does not exist.'],
  ['DBS.200604', 403, 'The instance is not owned by the current user.'],
  [
    'DBS.201015',
    403,
    'This operation cannot be performed because another operation is being performed on the DB instance or the DB instance is faulty. Try again later.',
  ],
  ['DBS.201201', 400, 'The backup already exists.'],
  ['DBS.201204', 400, 'Operation cannot be executed in current state of the DB instance.'],
  ['DBS.201214', 400, 'The backup file does not exist.'],
  [
    'DBS.201319',
    400,
    'Deleting backup file is not allowed because a restoration task is currently in progress. Please wait.',
  ],
  ['DBS.201502', 400, 'The DB instance does not exist.'],
  ['DBS.280015', 400, 'Permission denied.'],
  ['DBS.280019', 403, 'Account suspended.'],
  [
    'DBS.280032',
    403,
    'You do not have permission to perform this operation. Contact the administrator to obtain permission.',
  ],
  ['DBS.280056', 401, 'Invalid token.'],
  [
    'DBS.280063',
    403,
    'You do not have following permission to perform this operation: {0}. Contact the administrator to obtain permission.',
  ],
  ['DBS.280064', 401, 'Check PDP permissions failed.'],
  ['DBS.280110', 400, 'The DB instance does not exist.'],
  ['DBS.280439', 400, 'Invalid limit.'],
  ['DBS.280443', 429, 'The maximum number of connections has been reached.'],
])('%s → %i %s', (code, status, text) => {
  expect(byCode.get(code)).toMatchObject({ status, error_msg: text });
});

it('every refusal → a code of its own, but for the gateway’s', () => {
  const codes = Object.values(refusals).map(({ error_code }) => error_code);
  const twice = codes.filter((code, index) => codes.indexOf(code) !== index);
  expect(twice).toEqual(['APIGW.0101', 'APIGW.0201']);
});
