/** (b) The empty handler with node:https and node:crypto, which every signed request over TLS needs: the least import. */
import { createHmac, hash } from 'node:crypto';
import { request } from 'node:https';

// esbuild drops the import of a built-in module that nothing uses.
export const handler = async (): Promise<object> => ({ loaded: [createHmac, hash, request] });
