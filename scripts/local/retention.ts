/** `npm run retention`: one run of retention against the emulator of `npm start`. */
import { awsService } from '../../lib/aws/platform.ts';
import { type Decision, type RetentionRun, retention } from '../../lib/backup/retention.ts';
import { readRetentionConfig } from '../../lib/service/config.ts';
import { isoSeconds, MINUTE } from '../../lib/time.ts';
import { EMULATOR_PORT } from '../plugins/local.ts';
import { emulatorEnvironment, main, type Options, readPort, readTime } from './command.ts';
import { table } from './table.ts';

const DEFAULT_RULES = 'nightly: keep-within 14d, keep-last 3';

const USAGE = `npm run retention -- [options]

Makes one run of retention: prints the backups that the rules let go. It deletes nothing without --delete.
Needs the emulator of npm start, in another terminal.

  --explain      prints the decision on every backup, and its reason
  --rules RULES  with semicolons between. Default: "${DEFAULT_RULES}"
  --delete       deletes what is due, one backup after the other
  --time TIME    the run's time, such as 2026-03-01T05:30:00Z. Default: now. A time after now counts as now, and is at
                 most 5 minutes ahead
  --port ${EMULATOR_PORT}    where the emulator listens, on 127.0.0.1
  --help         this text`;

const RUN_MILLIS = 15 * MINUTE;

const rowOf = ({ backup, action, reason, rule }: Decision): Readonly<Record<string, string>> => ({
  decision: action,
  reason,
  instance: backup.instance_name ?? backup.instance_id,
  name: backup.name,
  ended: backup.endedAt === undefined ? '' : isoSeconds(backup.endedAt),
  rule: rule?.prefix ?? '',
  backup: backup.id,
});

function print(
  { decisions, expired, postponed }: RetentionRun,
  { explain, isDeleting }: Readonly<Record<string, boolean>>,
) {
  const due = decisions.filter(({ action }) => action === 'delete');
  const shown = explain ? decisions : due;
  if (shown.length > 0) console.log(`${table(shown.map(rowOf))}\n`);
  for (const { backup, error } of postponed) console.log(`Left for the next run: ${backup.name}: ${error.message}`);
  const end = isDeleting ? `${expired.length} deleted.` : 'Nothing was deleted: see --delete.';
  console.log(`${decisions.length} backups, ${due.length} due. ${end}`);
}

async function runRetention(options: Options): Promise<number> {
  const now = new Date();
  const time = readTime(String(options.time ?? now.toISOString()), now);
  const isDeleting = options.delete === true;
  const env = {
    ...(await emulatorEnvironment(readPort(options))),
    RETENTION: String(options.rules),
    RETENTION_INSTANCES: 'all',
    RETENTION_MODE: isDeleting ? 'delete' : 'report',
  };
  const config = readRetentionConfig(env);
  const { projects, budget, timing } = awsService({ env });
  const end = Date.now() + RUN_MILLIS;
  const invocation = { getRemainingTimeInMillis: () => end - Date.now() };
  for (const { dds } of projects().all) {
    const run = retention({
      ...config,
      dds,
      timing,
      onUnreadable: (record) => console.log(`Unreadable: ${JSON.stringify(record)}`),
      onExpired: async ({ backup, remaining }) => console.log(`Deleted ${backup.name}; ${remaining} remain.`),
    });
    print(await run(time, budget(invocation)), { explain: options.explain === true, isDeleting });
  }
  return 0;
}

await main({
  usage: USAGE,
  options: {
    explain: { type: 'boolean', default: false },
    rules: { type: 'string', default: DEFAULT_RULES },
    delete: { type: 'boolean', default: false },
    time: { type: 'string' },
    port: { type: 'string', default: String(EMULATOR_PORT) },
  },
  run: runRetention,
});
