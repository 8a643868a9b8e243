/** HMAC-SHA-256, as in https://www.rfc-editor.org/rfc/rfc2104, for one key over and over. */
import { createHmac, hash } from 'node:crypto';

const BLOCK = 64;
const DIGEST = 32;

/** What the two hashes of every text begin with; the outer block has room for the digest of the inner hash. */
function blocks(key: string) {
  const padded = Buffer.alloc(BLOCK);
  padded.write(key);
  return {
    key,
    // ASCII stays ASCII under the pads, so that the text can follow as text.
    isAscii: key.length <= BLOCK && Buffer.byteLength(key) === key.length,
    inner: Buffer.from(padded.map((byte) => byte ^ 0x36)).toString(),
    outer: Buffer.concat([padded.map((byte) => byte ^ 0x5c)], BLOCK + DIGEST),
  };
}

let last = blocks('');

/**
 * The same as `createHmac('sha256', key).update(text).digest('hex')`, which makes a stream for every text and so takes
 * longer than all else about a signature.
 */
export function hmacSha256(key: string, text: string): string {
  if (key !== last.key) last = blocks(key);
  const { isAscii, inner, outer } = last;
  if (!isAscii) return createHmac('sha256', key).update(text).digest('hex');
  outer.write(hash('sha256', inner + text, 'binary'), BLOCK, 'binary');
  return hash('sha256', outer);
}
