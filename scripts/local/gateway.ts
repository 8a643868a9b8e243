/** API Gateway before serverless-offline: corrects what serverless-offline answers otherwise than the cloud. */
import { fieldsOf, parseJson } from '../../lib/json.ts';
import { forward, json, type LocalAnswer, type LocalRequest, type Responder } from './relay.ts';

export const gateway =
  (offlinePort: number): Responder =>
  async (request) =>
    asGateway(await forward(offlinePort, withContentType(request)));

/** serverless-offline would make a body without a type JSON. The function refuses this one as it refuses none. */
const withContentType = ({ headers, ...request }: LocalRequest): LocalRequest => ({
  ...request,
  headers: { ...headers, 'content-type': headers['content-type'] ?? 'application/octet-stream' },
});

/** A path or method without a route, and a function that threw. */
function asGateway(answer: LocalAnswer): LocalAnswer {
  if (answer.status !== 404 && answer.status !== 502) return answer;
  const body = fieldsOf(parseJson(String(answer.body)));
  if (answer.status === 404 && 'existingRoutes' in body) return json(404, { message: 'Not Found' });
  if (answer.status === 502 && 'stackTrace' in body) return json(500, { message: 'Internal Server Error' });
  return answer;
}
