/** (b) A handler that does nothing but load what no signed request over TLS can do without: the floor of an import. */
import { createHmac, hash } from 'node:crypto';
import { request } from 'node:https';

// esbuild drops the import of a built-in module that nothing uses.
export const handler = async (): Promise<object> => ({ loaded: [createHmac, hash, request] });
