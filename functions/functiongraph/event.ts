/** The other triggers on FunctionGraph: SMN messages, timers and direct calls. */
import { type BackupIds, idsOf } from '../../lib/backup/create.ts';
import { handlerOf } from '../../lib/functiongraph/platform.ts';
import { type EventPart, partsOf } from '../../lib/functiongraph/sources.ts';
import { createAndWait, publishOnce } from '../../lib/functiongraph/wait.ts';
import { describeError, logFailure, logResult } from '../../lib/service/log.ts';
import type { Invocation } from '../../lib/service/ports.ts';
import { forEach } from '../../lib/service/projects.ts';
import type { Service } from '../../lib/service/service.ts';

export const eventHandler = (service: Service) => {
  async function handle(part: EventPart, invocation: Invocation): Promise<BackupIds> {
    const { description } = part;
    try {
      const result = await createAndWait(service, part, invocation);
      logResult(description, result);
      return idsOf(result);
    } catch (error) {
      logFailure(description, error);
      const detail = { id: `${invocation.awsRequestId}-failed`, ...description, ...describeError(error) };
      await publishOnce(service, { type: 'DDS Backup Request Failed', time: service.timing.now(), detail });
      throw error;
    }
  }

  /** One request that fails does not stop the others; the invocation fails at the end. */
  return async (event: unknown, invocation: Invocation): Promise<readonly BackupIds[] | BackupIds | undefined> => {
    const made: BackupIds[] = [];
    await forEach(partsOf(event, service.timing.now()), async (part) => {
      made.push(await handle(part, invocation));
    });
    return made.length === 1 ? made[0] : made;
  };
};

export const handler = handlerOf(eventHandler);
