/** (c) The same job in the usual way: the schema is compiled at start, the official SDK signs and sends. */
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { DefaultHttpClient } from '@huaweicloud/huaweicloud-sdk-core/http/DefaultHttpClient.js';
import validator from '@middy/validator';
import { transpileSchema } from '@middy/validator/transpile';
import requestSchema from '../../lib/backup/request.schema.json' with { type: 'json' };

const { DDS_ENDPOINT = '', OTC_SDK_PROJECT_ID = '', OTC_SDK_AK = '', OTC_SDK_SK = '' } = process.env;

// middy's ajv knows the drafts from 2019 on only.
const { $schema: _, ...schema } = requestSchema;

// As the SDK's ClientBuilder does. That class itself needs `uuid`, which its package does not depend on.
const client = new HcClient(new DefaultHttpClient({}, [DDS_ENDPOINT]))
  .withEndpoints([DDS_ENDPOINT])
  .withCredential(new BasicCredentials().withAk(OTC_SDK_AK).withSk(OTC_SDK_SK).withProjectId(OTC_SDK_PROJECT_ID));

export interface Request {
  readonly backup: object;
}

/** `within`: the schema of the event, given that of the request. */
export const validated = (within: (request: object) => object) =>
  validator({ eventSchema: transpileSchema(within(schema), { strictRequired: false }) });

/** Returns what DDS answers. */
export const createBackup = async ({ backup }: Request): Promise<object> => {
  const { httpStatusCode: _status, ...ids } = await client.sendRequest({
    method: 'POST',
    url: '/v3/{project_id}/backups',
    contentType: 'application/json',
    queryParams: {},
    pathParams: { project_id: OTC_SDK_PROJECT_ID },
    headers: {},
    data: { backup },
  });
  console.info(JSON.stringify({ event: 'request.accepted', ...ids }));
  return ids;
};
