/**
 * What each error code of DDS and of the gateway before it calls for.
 * Source: DDS API reference, "Error Codes"; the codes marked so come from the OTC Terraform provider's retries.
 */

/**
 * - `taken`: a backup of that name exists; it may be this trigger's own
 * - `busy`: the instance's state or a running operation does not allow a backup now
 * - `ambiguous`: as busy, among other reasons that waiting does not cure
 * - `throttled`: too many calls for now
 * - `unavailable`: a fault of DDS's own
 * - `credentials`: the key was refused
 * - `rejected`: anything else; the same request is refused again
 */
export type Meaning = 'taken' | 'busy' | 'ambiguous' | 'throttled' | 'unavailable' | 'credentials' | 'rejected';

const CODES: readonly (readonly [meaning: Meaning, codes: readonly string[]])[] = [
  ['taken', ['DBS.201201']],
  [
    'busy',
    [
      'DBS.200011',
      'DBS.200018',
      'DBS.200019',
      'DBS.200047',
      'DBS.200076',
      'DBS.201000',
      'DBS.201014',
      'DBS.201015',
      'DBS.201202',
      'DBS.239037', // Terraform provider
      'DBS.00010009', // Terraform provider
    ],
  ],
  ['ambiguous', ['DBS.280042', 'DBS.212003']],
  ['throttled', ['DBS.200998', 'DBS.280443', 'APIGW.0308']],
  ['unavailable', ['DBS.280005', 'DBS.201509']],
  ['credentials', ['APIGW.0301']],
];

/** A documented code decides; the status decides for the others: 401, 429 and 5xx speak for themselves. */
export function meaningOf(status: number, code = ''): Meaning {
  const [documented] = CODES.find(([, codes]) => codes.includes(code)) ?? [];
  if (documented) return documented;
  if (status === 401) return 'credentials';
  if (status === 429) return 'throttled';
  return status >= 500 ? 'unavailable' : 'rejected';
}
