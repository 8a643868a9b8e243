/**
 * (b) The bare signed POST, the least work of an event: no validation, no retry, no time-out, no log, no classified
 * error. The signature is written out for this one request, so that it does not depend on our signer.
 */
import { createHmac, hash } from 'node:crypto';
import * as https from 'node:https';

const { DDS_ENDPOINT = '', OTC_SDK_PROJECT_ID = '', OTC_SDK_AK = '', OTC_SDK_SK = '' } = process.env;
const { protocol, hostname, port, host } = new URL(DDS_ENDPOINT);
// Plain HTTP, which the bench uses, is loaded as ours is: its ESM form takes a part of the first answer.
const { Agent, request } = protocol === 'https:' ? https : await import('node:http');
const agent = new Agent({ keepAlive: true });
const path = `/v3/${OTC_SDK_PROJECT_ID}/backups`;
const SIGNED = 'content-type;host;x-project-id;x-sdk-date';

export const handler = ({ backup }: { readonly backup: object }): Promise<unknown> => {
  const body = JSON.stringify({ backup });
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const canonical = `POST\n${path}/\n\ncontent-type:application/json\nhost:${host}\nx-project-id:${OTC_SDK_PROJECT_ID}\nx-sdk-date:${date}\n\n${SIGNED}\n${hash('sha256', body)}`;
  const toSign = `SDK-HMAC-SHA256\n${date}\n${hash('sha256', canonical)}`;
  const signature = createHmac('sha256', OTC_SDK_SK).update(toSign).digest('hex');
  const headers = {
    'content-type': 'application/json',
    host,
    'x-project-id': OTC_SDK_PROJECT_ID,
    'x-sdk-date': date,
    authorization: `SDK-HMAC-SHA256 Access=${OTC_SDK_AK}, SignedHeaders=${SIGNED}, Signature=${signature}`,
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ method: 'POST', hostname, port, path, headers, agent }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => resolve(JSON.parse(text)));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
};
