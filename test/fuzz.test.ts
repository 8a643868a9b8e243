import { expect, it } from 'vitest';
import { fuzz } from './simulation/fuzz/fuzz.ts';
import { fuzzAnswers } from './simulation/fuzz/fuzz-answers.ts';

it('bundles: arbitrary events → documented answers only, and nothing invalid reaches DDS', async () => {
  const endings = await fuzz({ cases: 300, seed: 20_260_301 });
  // Otherwise no valid event, or no invalid one, was among them.
  const reached = ['http: success', 'event-bus: success', 'invoke: success', 'strangers: Unauthorized'];
  const onFunctionGraph = ['functiongraph http: success', 'functiongraph event: success'];
  expect(Object.keys(endings)).toEqual(
    expect.arrayContaining([...reached, ...onFunctionGraph, 'http: InvalidRequest']),
  );
}, 120_000);

it('functions: arbitrary answers of DDS → no crash, no success without a backup, no secret', async () => {
  const endings = await fuzzAnswers({ cases: 400, seed: 20_260_301 });
  // Otherwise the answers did not reach what they are for.
  const reached = [
    'success',
    'BackupNameTaken',
    'OutcomeUnknown',
    'UpstreamInvalid',
    'CredentialsRefused',
    'DdsRejected',
  ];
  for (const ending of reached) expect(Object.keys(endings).map((key) => key.split(': ')[1])).toContain(ending);
}, 120_000);
