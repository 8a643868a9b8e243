/** What Lambda hands to a handler. It imports no module: it is part of every cold start that is measured. */
export type Handler = (event: unknown, context: object) => Promise<unknown>;

const backup = { instance_id: 'a89dab5e39394eccbdb77b19d57b0180in02', description: 'CI pipeline 4711' };

/** A new event for each call, as an invocation has. A name is 4 to 64 characters. */
export const events = {
  invoke: (name: string): unknown => ({ backup: { ...backup, name } }),
  'event-bus': (name: string): unknown => ({
    id: name,
    time: new Date().toISOString(),
    'detail-type': 'Backup requested',
    detail: { backup: { ...backup, name } },
  }),
  http: (name: string): unknown => ({
    headers: { 'content-type': 'application/json', host: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com' },
    requestContext: {
      requestId: name,
      timeEpoch: Date.now(),
      authorizer: { iam: { userArn: 'arn:aws:sts::123456789012:assumed-role/ci-deploy/migration' } },
    },
    body: JSON.stringify({ backup: { ...backup, name } }),
    isBase64Encoded: false,
  }),
};

export type EventKind = keyof typeof events;

export const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 29_000 };

/** Hands the probe's findings to `inNewProcess`: standard output belongs to the function's log. */
export const report = (findings: unknown): void => {
  process.getBuiltinModule('node:fs').writeSync(3, JSON.stringify(findings));
};

/** The handler of a bundle, an absolute path. */
export const load = async (bundle: string): Promise<Handler> => {
  const loaded: { handler: Handler } = await import(bundle);
  return loaded.handler;
};

/** Throws for an answer without a backup. */
export function expectBackup(answer: unknown): void {
  if (!JSON.stringify(answer).includes('backup_id')) throw new Error(`no backup: ${JSON.stringify(answer)}`);
}
