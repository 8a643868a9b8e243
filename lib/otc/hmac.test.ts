import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hmacSha256 } from './hmac.ts';

const ofNode = (key: string, text: string) => createHmac('sha256', key).update(text).digest('hex');

describe('HMAC-SHA-256', () => {
  // https://www.rfc-editor.org/rfc/rfc4231, the test cases whose key and data are text.
  it.each([
    ['Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['\x0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ])('of the published example %j, %j', (key, text, digest) => {
    expect(hmacSha256(key, text)).toBe(digest);
  });

  const ascii = (length: fc.StringConstraints) => fc.string({ ...length, unit: 'binary-ascii' });
  const unicode = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
  const key = fc.oneof(ascii({ maxLength: 64 }), ascii({ minLength: 60, maxLength: 140 }), unicode);
  const text = fc.oneof(ascii({ maxLength: 300 }), unicode);

  it('is what Node computes, for any key and text', () => {
    fc.assert(
      fc.property(key, text, (key, text) => hmacSha256(key, text) === ofNode(key, text)),
      { numRuns: 2000 },
    );
  });

  it('keeps keys apart that take turns', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 3 }), text, (keys, text) =>
        [...keys, ...keys].every((key) => hmacSha256(key, text) === ofNode(key, text)),
      ),
    );
  });
});
