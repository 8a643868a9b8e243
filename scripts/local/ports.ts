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

export const isFree = async (port: number): Promise<boolean> => (await listenError(port)) === undefined;

/**
 * Free ports, one after the other, each process from a place of its own: below those that systems hand out by
 * themselves, where a connection could take a port before it is used.
 */
export function portSource(first: number): () => Promise<number> {
  let last = first + (process.pid % 1000) * 10;
  return async function next(): Promise<number> {
    last += 1;
    const port = last;
    return (await isFree(port)) ? port : next();
  };
}

/** Any. */
export const freePort = portSource(20_000);

export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  const isConnected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isConnected;
}
