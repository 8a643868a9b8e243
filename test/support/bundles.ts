import type { Emulator } from '../../emulator/dds/emulator.ts';
import { environment } from './emulated.ts';
import { httpAnswer, lambdaContext } from './lambda.ts';

export const FUNCTIONS = ['http', 'event-bus', 'invoke'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

type Handler = (event: unknown, context: ReturnType<typeof lambdaContext>) => Promise<unknown>;

let copies = 0;

/** A function as it is deployed, `dist/{name}.mjs`, loaded again in this environment. */
export async function startBundle(
  name: FunctionName | 'deferred/index' | 'monitor' | 'retention',
  env: Record<string, string>,
): Promise<Handler> {
  for (const variable of Object.keys(process.env))
    if (
      /^(OTC_|DDS_|HTTP_AUTH|WEBHOOK_SECRET|EVENT_BUS|DEFERRED_|MAX_|STUCK_|RETENTION|BACKUP_|REPORT_|AWS_)/.test(
        variable,
      )
    )
      delete process.env[variable];
  Object.assign(process.env, env);
  const bundle: { handler: Handler } = await import(/* @vite-ignore */ `../../dist/${name}.mjs?copy=${++copies}`);
  return bundle.handler;
}

/** How a delivery ended: in an HTTP answer, in a returned value, or in an error. */
export interface Ending {
  readonly status?: number;
  readonly body?: unknown;
  readonly error?: Error;
}

/** A request as the trigger of each function would bring it. */
export const eventWith: Record<FunctionName, (request: unknown) => unknown> = {
  http: (request) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
    requestContext: { requestId: 'r', timeEpoch: Date.now() },
  }),
  'event-bus': (detail) => ({ id: 'e', time: new Date().toISOString(), detail }),
  invoke: (payload) => payload,
};

/** Hands any event to each of the three bundles, wired to `emulator`. */
export async function startBundles(
  emulator: Emulator,
): Promise<Record<FunctionName, (event: unknown) => Promise<Ending>>> {
  const env = { ...environment(emulator), HTTP_AUTH: 'none' };
  const [http, eventBus, invoke] = [
    await startBundle('http', env),
    await startBundle('event-bus', env),
    await startBundle('invoke', env),
  ];
  const thrown = (error: unknown): Ending => ({ error: error instanceof Error ? error : new Error(`threw ${error}`) });
  return {
    http: (event) =>
      http(event, lambdaContext()).then((answer) => {
        const { statusCode, body } = httpAnswer(answer);
        return { status: statusCode, body };
      }, thrown),
    'event-bus': (event) => eventBus(event, lambdaContext()).then((body) => ({ body }), thrown),
    invoke: (event) => invoke(event, lambdaContext()).then((body) => ({ body }), thrown),
  };
}
