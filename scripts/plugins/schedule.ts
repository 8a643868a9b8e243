/**
 * Checks schedules of EventBridge Scheduler before a deployment:
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */

interface Field {
  readonly min: number;
  readonly max: number;
  /** Of the values, in order. */
  readonly names?: readonly string[];
  /** Wildcards for days that are not simple numbers. */
  readonly special?: RegExp;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const MINUTES: Field = { min: 0, max: 59 };
const HOURS: Field = { min: 0, max: 23 };
const DAYS: Field = { min: 1, max: 31, special: /^(\?|L|LW|L-\d{1,2}|\d{1,2}W)$/i };
const MONTHS_OF_YEAR: Field = { min: 1, max: 12, names: MONTHS };
const DAYS_OF_WEEK: Field = { min: 1, max: 7, names: WEEKDAYS, special: /^(\?|L|([1-7]|[A-Z]{3})(L|#[1-5]))$/i };
const YEARS: Field = { min: 1970, max: 2199 };

const RATE = /^rate\([1-9]\d* (minute|hour|day)s?\)$/;
const AT = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/;
const CRON = /^cron\((.*)\)$/;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** A year, and some days more since changes of clocks move. */
const LOOKAHEAD_DAYS = 380;

/** Whether EventBridge Scheduler takes the expression. */
export function isSchedule(expression: string): boolean {
  const [, time] = AT.exec(expression) ?? [];
  return RATE.test(expression) || isDateTime(time) || cronOf(expression) !== undefined;
}

/** Without a time zone: 2026-02-30T… is not one. */
const isDateTime = (text: string | undefined): boolean =>
  text !== undefined && Number.isFinite(Date.parse(`${text}Z`)) && new Date(`${text}Z`).toISOString().startsWith(text);

/** Whether it is the name of an IANA time zone. Intl also takes offsets and names in the wrong case. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Z]/.test(zone)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions();
    // An alias resolves to another name.
    return timeZone === zone || timeZone.toLowerCase() !== zone.toLowerCase();
  } catch {
    return false;
  }
}

/**
 * The first local time, such as `2026-03-29 02:30`, at which a cron expression asks for a run and which a change of clocks
 * skips, within a year from `from`. Scheduler makes no run then.
 */
export function firstSkippedRun(expression: string, zone: string, from: Date): string | undefined {
  const isDue = cronOf(expression);
  if (!isDue) return undefined;
  for (const { start, end } of skippedTimes(zone, from)) {
    for (let local = start; local < end; local += MINUTE) {
      if (isDue(new Date(local))) return new Date(local).toISOString().slice(0, 16).replace('T', ' ');
    }
  }
  return undefined;
}

/** Whether a run is due at a local time, given in the fields of UTC. `L`, `W` and `#` stand for every day. */
type Cron = (local: Date) => boolean;

function cronOf(expression: string): Cron | undefined {
  const [, list = ''] = CRON.exec(expression) ?? [];
  const fields = list.trim().split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = ''] = fields;
  // One of the two must leave the day to the other.
  if (fields.length !== 6 || (day === '?') === (weekday === '?')) return undefined;
  const minutes = valuesOf(MINUTES, minute);
  const hours = valuesOf(HOURS, hour);
  const days = valuesOf(DAYS, day);
  const months = valuesOf(MONTHS_OF_YEAR, month);
  const weekdays = valuesOf(DAYS_OF_WEEK, weekday);
  const years = valuesOf(YEARS, year);
  if (!minutes || !hours || !days || !months || !weekdays || !years) return undefined;
  return (local) =>
    minutes.has(local.getUTCMinutes()) &&
    hours.has(local.getUTCHours()) &&
    days.has(local.getUTCDate()) &&
    months.has(local.getUTCMonth() + 1) &&
    weekdays.has(local.getUTCDay() + 1) &&
    years.has(local.getUTCFullYear());
}

/** The values that a field of a cron expression stands for; undefined where it is malformed. */
function valuesOf(field: Field, text: string): ReadonlySet<number> | undefined {
  const { min, max, special } = field;
  const values = new Set<number>();
  for (const part of special?.test(text) ? ['*'] : text.split(',')) {
    const [, start = '', end, step] = /^(\*|\w+)(?:-(\w+))?(?:\/([1-9]\d*))?$/.exec(part) ?? [];
    if (start === '*' && end !== undefined) return undefined;
    const first = start === '*' ? min : numberOf(field, start);
    const last = end === undefined ? (start === '*' || step ? max : first) : numberOf(field, end);
    if (first === undefined || last === undefined || first > last) return undefined;
    for (let value = first; value <= last; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}

function numberOf({ min, max, names = [] }: Field, text: string): number | undefined {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return min + named;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** The local times that the changes of clocks skip, as if they were UTC. */
function* skippedTimes(zone: string, from: Date): Generator<{ readonly start: number; readonly end: number }> {
  const offset = offsets(zone);
  const first = Math.floor(from.getTime() / MINUTE) * MINUTE;
  for (let day = 0; day < LOOKAHEAD_DAYS; day++) {
    let [before, after] = [first + day * DAY, first + (day + 1) * DAY];
    const [start, end] = [offset(before), offset(after)];
    if (end <= start) continue;
    while (after - before > MINUTE) {
      const middle = before + Math.floor((after - before) / 2 / MINUTE) * MINUTE;
      if (offset(middle) === start) before = middle;
      else after = middle;
    }
    yield { start: after + start, end: after + end };
  }
}

/** How far a zone is ahead of UTC at a time, both in milliseconds. */
function offsets(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  return (time) => {
    const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    // "GMT" alone is UTC.
    const [, sign, hours = 0, minutes = 0] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE;
  };
}
