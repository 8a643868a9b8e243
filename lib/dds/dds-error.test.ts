import { describe, expect, it } from 'vitest';
import { codeIn, DdsError } from './dds-error.ts';

describe('the code in a message', () => {
  it.each(['DBS.201014', 'APIGW.0308', 'DBS.00010009'])('is the one that DDS gave: %s', (error_code) => {
    const answer = { status: 403, text: '{}', retryAfter: undefined };
    expect(codeIn(new DdsError(answer, { error_code, error_msg: 'busy: DBS.1: later' }).message)).toBe(error_code);
  });

  it('is none where DDS gave none', () => {
    expect(codeIn(new DdsError({ status: 502, text: '', retryAfter: undefined }, {}).message)).toBeUndefined();
    expect(codeIn('The request is invalid: DBS.201014: is not a known field')).toBeUndefined();
  });
});
