/** The composition root of AWS: the service with the adapters that Lambda's environment needs. */
import type { Environment } from '../service/config.ts';
import type { Starter } from '../service/ports.ts';
import { backupService, type Service, type ServiceOptions } from '../service/service.ts';
import { systemTiming } from '../time.ts';
import { awsApi } from './api.ts';
import { lambdaHandover, lambdaStarter } from './handover.ts';
import { eventBusPublisher } from './publisher.ts';
import { secretsManager } from './secrets.ts';
import { topicNotifier } from './topic.ts';

/** @param options what replaces the defaults */
export function awsService({
  env = process.env,
  timing = systemTiming,
  ...options
}: Partial<ServiceOptions> = {}): Service {
  const call = awsApi(env, timing);
  return backupService({
    env,
    timing,
    readSecret: secretsManager(call),
    publish: eventBusPublisher(env, call),
    handover: lambdaHandover(env, call),
    notify: topicNotifier(env, call),
    ...options,
  });
}

/** What starts `invoke`. */
export const invokeStarter = (env: Environment = process.env, timing = systemTiming): Starter =>
  lambdaStarter(env, awsApi(env, timing));
