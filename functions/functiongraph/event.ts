/** The other triggers on FunctionGraph: SMN messages, timers and direct calls. */
import { type BackupIds, idsOf } from '../../lib/backup/create.ts';
import { InvalidRequest } from '../../lib/errors.ts';
import { handlerOf } from '../../lib/functiongraph/platform.ts';
import { type EventPart, partsOf } from '../../lib/functiongraph/sources.ts';
import { createAndWait, idOf, publishOnce } from '../../lib/functiongraph/wait.ts';
import { describeError, logFailure, logResult } from '../../lib/service/log.ts';
import type { Invocation } from '../../lib/service/ports.ts';
import { forEach } from '../../lib/service/projects.ts';
import type { Service } from '../../lib/service/service.ts';

export const eventHandler = (service: Service) => {
  const { now } = service.timing;

  async function handle(part: EventPart, invocation: Invocation): Promise<BackupIds> {
    const { description } = part;
    const startedAt = now().getTime();
    const about = () => ({ ...description, duration_ms: now().getTime() - startedAt });
    try {
      const result = await createAndWait(service, part, invocation);
      logResult(about(), result);
      return idsOf(result);
    } catch (error) {
      logFailure(about(), error);
      const detail = { id: `${idOf(description, invocation)}-failed`, ...description, ...describeError(error) };
      await publishOnce(service, { type: 'DDS Backup Request Failed', time: now(), detail });
      throw error;
    }
  }

  /** One request that fails does not stop the others; the invocation fails at the end. */
  return async (event: unknown, invocation: Invocation): Promise<readonly BackupIds[] | BackupIds | undefined> => {
    const parts = partsOf(event, now());
    // To publish that they failed would bring them here again.
    for (const { description } of parts.filter(({ isOwn }) => isOwn)) logFailure(description, OWN_EVENT);
    const requests = parts.filter(({ isOwn }) => !isOwn);
    const made = new Map<EventPart, BackupIds>();
    await forEach(requests, async (part) => {
      made.set(part, await handle(part, invocation));
    });
    const ids = requests.flatMap((part) => made.get(part) ?? []);
    return ids.length > 1 ? ids : ids[0];
  };
};

const OWN_EVENT = new InvalidRequest(
  400,
  'This is an event of this service. Subscribe to a topic of requests instead.',
);

export const handler = handlerOf(eventHandler);
