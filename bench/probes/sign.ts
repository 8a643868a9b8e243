/** One signer, over and over: `sign.mjs {ours | official | hashes} {milliseconds}`. */
import { createHmac, hash } from 'node:crypto';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js';
import { Bench } from 'tinybench';
import { canonicalRequest, sign, stringToSign } from '../../lib/otc/signer.ts';
import { report } from './lambda.ts';

const [, , contender = '', millis = ''] = process.argv;

const KEY = { ak: 'EMULATORACCESSKEY000', sk: 'EmulatorSecretKeyThatOpensNothing0000000' };
const BATCH = 100;
const PROJECT = '0549b4a43100d4f32f51c01c2fe4acdb';
const HOST = 'dds.eu-de.otc.t-systems.com';
const data = { backup: { instance_id: 'a89dab5e39394eccbdb77b19d57b0180in02', name: 'before-migration' } };
const headers = { 'content-type': 'application/json', 'x-project-id': PROJECT };
const post = { method: 'POST', host: HOST, path: `/v3/${PROJECT}/backups`, query: {}, headers };

const credentials = new BasicCredentials().withAk(KEY.ak).withSk(KEY.sk).withProjectId(PROJECT);
const officialPost = { method: 'POST', endpoint: `https://${HOST}${post.path}`, headers, data, queryParams: {} };

const body = JSON.stringify(data);
const canonical = canonicalRequest({
  ...post,
  headers: { ...headers, host: HOST, 'x-sdk-date': '20260301T120000Z' },
  body,
});
const toSign = stringToSign('20260301T120000Z', canonical);

const contenders: Record<string, () => unknown> = {
  ours: () => sign({ ...post, body }, KEY, new Date()),
  // The official signer turns the body into text itself.
  'ours-from-object': () => sign({ ...post, body: JSON.stringify(data) }, KEY, new Date()),
  official: () => AKSKSigner.sign(officialPost as never, credentials),
  /** What the algorithm cannot avoid, over texts that are there already. */
  hashes: () => [
    hash('sha256', body),
    hash('sha256', canonical),
    createHmac('sha256', KEY.sk).update(toSign).digest('hex'),
  ],
};

const bench = new Bench({ time: Number(millis), warmupTime: Number(millis), throws: true });
const once = contenders[contender];
if (!once) throw new Error(`no contender ${contender}`);
// A hundred at a time: asking the clock costs as much as part of a hash.
bench.add(contender, () => {
  for (let i = 0; i < BATCH; i++) once();
});
const [task] = await bench.run();
if (task?.result.state !== 'completed') throw new Error('the bench did not complete');
report({ opsPerSecond: (BATCH * 1000) / task.result.latency.p50 });
