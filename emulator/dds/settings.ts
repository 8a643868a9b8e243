/**
 * How the emulator behaves, as far as a test may choose. The defaults are what the reference and its clients say of the
 * real service; everything else has to be switched on. All values are JSON, so that HTTP can set them too.
 */
export interface Settings {
  /** How long a manual backup takes. */
  readonly backupMillis: number;
  /** How long a backup that is being deleted is DISABLED. */
  readonly deletionMillis: number;
  /** How long after its creation a job can be asked for. */
  readonly jobDelayMillis: number;
  /** How long a token of IAM is valid. */
  readonly tokenMillis: number;
  /** A regular expression: backups whose name matches end as FAILED. */
  readonly failNames: string | null;

  /** Whether creating checks the instance's state before the name. */
  readonly busyFirst: boolean;
  /** Whether a deletion that runs keeps its instance busy, as a backup does. */
  readonly deletionIsBusy: boolean;
  /** `GET /instances?id=` of an unknown instance: refused, as on eu-de since August 2026, or an empty list. */
  readonly unknownInstance: 'refused' | 'empty';
  /** Whether an access key is locked for five minutes after more than five failures in a row. */
  readonly lockKeys: boolean;

  /** What begins, ends or goes shows in the list of backups so much later; the check of names sees it at once. */
  readonly listLagMillis: number;
  /** A page holds no more items than this, whatever limit was asked for. */
  readonly pageCap: number | null;
  /** Every page is the first one. */
  readonly ignoreOffset: boolean;
  /** `page` is the number of items on the page. */
  readonly totalCount: 'right' | 'zero' | 'page' | 'one too high';
  /** How a description is kept. `normalised` is Unicode's NFC. */
  readonly descriptions: 'as sent' | 'trimmed' | 'normalised' | 'trimmed and normalised';
  /** How the list writes times. */
  readonly timeFormat: 'space' | 'T' | 'Z' | '+0000' | 'fraction' | 'null';
  readonly statusCase: 'upper' | 'lower' | 'capitalised';

  /** How much DDS's clock is ahead; negative when it is behind. */
  readonly clockSkewMillis: number;
  /** What shows the skew: both clocks, the gateway's (`Date`, age of signatures and tokens), or that of backups. */
  readonly clockSkewOf: 'all' | 'date' | 'backups';
  /** Whether answers have a `Date` header. */
  readonly dateHeader: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  backupMillis: 30_000,
  deletionMillis: 5000,
  jobDelayMillis: 3000,
  tokenMillis: 24 * 3_600_000,
  failNames: null,
  busyFirst: false,
  deletionIsBusy: false,
  unknownInstance: 'refused',
  lockKeys: false,
  listLagMillis: 0,
  pageCap: null,
  ignoreOffset: false,
  totalCount: 'right',
  descriptions: 'as sent',
  timeFormat: 'space',
  statusCase: 'upper',
  clockSkewMillis: 0,
  clockSkewOf: 'all',
  dateHeader: true,
};

/** The settings among other options; those not given, or given as undefined, are the default ones. */
export function readSettings(options: Partial<Settings>): Settings {
  const given = Object.entries(options).filter(
    ([name, value]) => Object.hasOwn(DEFAULT_SETTINGS, name) && value !== undefined,
  );
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(given) };
}
