/** What people do by hand while events come in: they delete backups, replace keys, and make backups of their own. */
import type { Control } from '../../emulator/dds/control.ts';
import type { Chance } from './chance.ts';
import { type Conditions, projectOf, skewOf } from './conditions.ts';
import type { Others } from './faults.ts';
import { isAlive, type Ledger, statusAt } from './ledger.ts';

interface World {
  readonly conditions: Conditions;
  readonly control: Control;
  readonly ledger: Ledger;
  /** Milliseconds by our clock. */
  readonly now: () => number;
  readonly at: (time: number, act: () => void) => void;
}

/** One of the newest, so that later deliveries of its event meet the change. */
const NEWEST = 30;

/** Changes one backup: it turns out to have FAILED, is deleted as DDS does it, or is gone at once. */
export function changeByHand({ conditions, control, ledger, now, at }: World, draw: Chance): void {
  const candidates = ledger.effects.slice(-NEWEST).filter((effect) => {
    const status = statusAt(effect, now());
    return isAlive(status) || status === 'FAILED';
  });
  if (candidates.length === 0) return;
  const effect = draw.pick(candidates);
  const { id, project } = effect;
  const remove = (): void => {
    control.removeBackups({ project, id });
    ledger.change(effect, 'GONE');
  };
  const status = statusAt(effect, now());
  if (status === 'BUILDING' || (status === 'COMPLETED' && draw.happens(0.4))) {
    control.changeBackups({ project, where: { id }, set: { status: 'FAILED' } });
    ledger.change(effect, 'FAILED');
  } else if (draw.happens(0.7)) {
    control.changeBackups({ project, where: { id }, set: { status: 'DISABLED' } });
    ledger.change(effect, 'DISABLED');
    at(now() + (conditions.emulator.deletionMillis ?? 0), remove);
  } else remove();
}

const HOUR = 3_600_000;

/** Backups that others make and delete. They have ended, so that they do not keep an instance busy. */
export function others(
  { conditions, control, now }: Pick<World, 'conditions' | 'control' | 'now'>,
  draw: Chance,
): Others {
  const names = new Map<string, string[]>();
  const namesIn = (project: string): string[] => {
    const list = names.get(project) ?? [];
    names.set(project, list);
    return list;
  };
  const timeOf = (millis: number): Date => new Date(millis + skewOf(conditions).backups);
  let made = 0;

  for (const { id } of conditions.others > 0 ? conditions.instances.slice(0, 2) : []) {
    const project = projectOf(conditions, id);
    const everyMillis = (20 * HOUR) / conditions.others;
    const name_prefix = `other-${++made}`;
    const begin = timeOf(now() - HOUR);
    control.addBackups({
      project,
      series: { name_prefix, count: conditions.others, everyMillis, begin, instance_id: id, type: 'Manual' },
    });
    namesIn(project).push(...Array.from({ length: conditions.others }, (_, index) => `${name_prefix}-${index}`));
  }

  return {
    rate: conditions.others > 0 ? 0.15 : 0,
    come: ({ project = '', query }) => {
      const [first] = conditions.projects.find(({ id }) => id === project)?.instances ?? [];
      const instance_id = typeof query.instance_id === 'string' ? query.instance_id : (first?.id ?? '');
      const name = `other-${++made}`;
      namesIn(project).push(name);
      const begin = timeOf(now() - draw.between(0, HOUR));
      return {
        do: 'addBackups',
        with: { project, backups: [{ name, instance_id, begin, end: begin, type: 'Manual' }] },
      };
    },
    go: ({ project = '' }) => {
      const list = namesIn(project);
      const [name] = list.length > 0 ? list.splice(draw.whole(0, list.length - 1), 1) : [];
      return name === undefined ? undefined : { do: 'removeBackups', with: { project, name } };
    },
  };
}

/** The access key: DDS knows a new one at times, and the secret some time later. */
export function keys({ conditions, control, now, at }: Omit<World, 'ledger'>, horizon: number, draw: Chance) {
  const keyOf = (version: number) => ({
    ...{ ak: `KEY${version}`, sk: `secret-of-key-${version}` },
    // An agency's keys are temporary.
    ...(conditions.platform === 'functiongraph' && { securityToken: 'token-of-the-agency' }),
  });
  let known = keyOf(0);
  const setKey = (credentials: typeof known): void => {
    for (const { id } of conditions.projects) control.changeProject({ project: id, credentials: [credentials] });
  };
  setKey(known);
  conditions.keyChanges.forEach(({ secretLagMillis }, index) => {
    const time = now() + ((index + draw.next()) * horizon) / conditions.keyChanges.length;
    at(time, () => setKey(keyOf(index + 1)));
    at(time + secretLagMillis, () => {
      known = keyOf(index + 1);
    });
  });
  return { secret: async (): Promise<string> => JSON.stringify(known) };
}
