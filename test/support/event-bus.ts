/** An EventBridge on this machine, as far as it takes events. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach } from 'vitest';

export interface PutEvents {
  readonly Entries: readonly {
    readonly EventBusName: string;
    readonly DetailType: string;
    readonly Detail: string;
    readonly [field: string]: unknown;
  }[];
}

export const takesAll = ({ Entries }: PutEvents): object => ({
  FailedEntryCount: 0,
  Entries: Entries.map(() => ({ EventId: 'e' })),
});

export interface Bus {
  readonly url: string;
  /** All that reached it. */
  readonly requests: readonly PutEvents[];
  /** What they announce: the detail-type, and the detail's own fields. */
  events(): { readonly announced: string; readonly [field: string]: unknown }[];
  readonly client: () => EventBridgeClient;
}

/** To be called where a test file registers its hooks: starts buses that live as long as their test. */
export function eventBuses() {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** An EventBridge that answers what `answer` makes of each request: a body, under status 200 unless it says another. */
  return async function startBus(answer: (request: PutEvents) => object = takesAll, status = 200): Promise<Bus> {
    const requests: PutEvents[] = [];
    const server = createServer(async (incoming, response) => {
      const request: PutEvents = JSON.parse(Buffer.concat(await incoming.toArray()).toString());
      requests.push(request);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', connection: 'close' });
      response.end(JSON.stringify(answer(request)));
    });
    closing.push(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    return {
      url,
      requests,
      events: () =>
        requests.flatMap(({ Entries }) =>
          Entries.map(({ DetailType, Detail }) => ({ announced: DetailType, ...JSON.parse(Detail) })),
        ),
      client: () =>
        new EventBridgeClient({
          endpoint: url,
          region: 'eu-central-1',
          credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
          maxAttempts: 1,
        }),
    };
  };
}
