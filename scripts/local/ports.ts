/** Ports of this machine, on 127.0.0.1. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const HOST = '127.0.0.1';

/** The code of the error with which listening fails, such as `EADDRINUSE`; undefined where the port is free. */
export function listenError(port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen(port, HOST, () => server.close(() => resolve(undefined)));
  return promise;
}

/** Any. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

export const isFree = async (port: number): Promise<boolean> => (await listenError(port)) === undefined;

export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  const isConnected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isConnected;
}
