/** Servers on ephemeral ports that live as long as their test. */
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { Server } from 'node:net';
import { afterEach } from 'vitest';

/** To be called where a test file registers its hooks. */
export function testServers() {
  const servers: (Server | HttpServer)[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    }
  });

  /** The origin `http://127.0.0.1:{port}` of any server. */
  const listen = async (server: Server): Promise<string> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('The server has no port.');
    return `http://127.0.0.1:${address.port}`;
  };

  return {
    listen,

    /** The origin of an HTTP server. */
    serve: (listener: RequestListener): Promise<string> => listen(createServer(listener)),

    /** An origin on which no server listens. */
    unused: async (): Promise<string> => {
      const server = createServer();
      const origin = await listen(server);
      await new Promise((resolve) => server.close(resolve));
      return origin;
    },
  };
}
