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

const MEANING: Readonly<Record<string, Meaning>> = {
  'DBS.201201': 'taken',

  'DBS.200011': 'busy',
  'DBS.200018': 'busy',
  'DBS.200019': 'busy',
  'DBS.200047': 'busy',
  'DBS.200076': 'busy',
  'DBS.201000': 'busy',
  'DBS.201014': 'busy',
  'DBS.201015': 'busy',
  'DBS.201202': 'busy',
  'DBS.239037': 'busy', // Terraform provider
  'DBS.00010009': 'busy', // Terraform provider

  'DBS.280042': 'ambiguous',
  'DBS.212003': 'ambiguous',

  'DBS.200998': 'throttled',
  'DBS.280443': 'throttled',
  'APIGW.0308': 'throttled',

  'DBS.280005': 'unavailable',
  'DBS.201509': 'unavailable',

  'APIGW.0301': 'credentials',
};

/** A documented code decides; the status decides for the others: 401, 429 and 5xx speak for themselves. */
export function meaningOf(status: number, code: string | undefined): Meaning {
  if (code !== undefined && Object.hasOwn(MEANING, code)) return MEANING[code] ?? 'rejected';
  if (status === 401) return 'credentials';
  if (status === 429) return 'throttled';
  return status >= 500 ? 'unavailable' : 'rejected';
}
