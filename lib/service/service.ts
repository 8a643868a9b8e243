/** What the functions of a platform share, wired from the environment and the platform's ports. */
import type { Delivery, Result } from '../backup/create.ts';
import { deadlineOf } from '../backup/retry-policy.ts';
import { commandOf, type ValidEvent } from '../backup/trigger.ts';
import type { Budget } from '../dds/retry.ts';
import { annotate, Failure } from '../errors.ts';
import type { Credentials } from '../otc/signer.ts';
import { SECOND, systemTiming, type Timing } from '../time.ts';
import { type Authenticate, authentication } from './authentication.ts';
import { type Environment, readConfig } from './config.ts';
import { credentialStore } from './credentials.ts';
import type { Handover, Invocation, Notifier, Origin, Publisher, SecretReader } from './ports.ts';
import { type Projects, serveProjects } from './projects.ts';

export interface ServiceOptions {
  readonly env: Environment;
  readonly readSecret: SecretReader;
  /** The access key, where the platform hands it out itself: asked for before every request. */
  readonly platformCredentials?: () => Promise<Credentials>;
  readonly publish: Publisher;
  readonly handover: Handover;
  readonly notify: Notifier;
  readonly timing?: Timing;
  /** How long one attempt at DDS may take. */
  readonly attemptMillis?: number;
  /** How long before the end of the invocation the answer must be there. */
  readonly reserveMillis?: number;
}

/** `create`, `deadlineOf` and `projects` throw Failure `ConfigurationError` until the configuration is complete. */
export interface Service {
  readonly timing: Timing;
  readonly env: Environment;
  readonly authenticate: Authenticate;
  readonly publish: Publisher;
  readonly handover: Handover;
  readonly notify: Notifier;
  /**
   * See `CreateBackup`.
   * @param earlier what is known of earlier deliveries; without it this is the first
   */
  create(
    event: ValidEvent,
    invocation: TimeLeft,
    signal?: AbortSignal,
    earlier?: Pick<Delivery, 'firstDelivery' | 'outcomeUnknown'>,
  ): Promise<Result & { readonly origin: Origin }>;
  /** The latest moment at which a backup may be submitted for an event. */
  deadlineOf(event: ValidEvent, firstDelivery: Date): Date;
  readonly projects: () => Projects;
  /** What is left of an invocation for DDS. */
  budget(invocation: TimeLeft, signal?: AbortSignal): Budget;
}

export type TimeLeft = Pick<Invocation, 'getRemainingTimeInMillis'>;

/** Nothing is read before it is needed: a function without configuration starts, and says so in its answer. */
export function backupService({
  env,
  readSecret,
  platformCredentials,
  publish,
  handover,
  notify,
  timing = systemTiming,
  attemptMillis = 10 * SECOND,
  reserveMillis = SECOND,
}: ServiceOptions): Service {
  const config = once(() => readConfig(env, platformCredentials !== undefined));
  const { credentials, webhookSecret } = credentialStore(config, env, readSecret, timing.now);
  const projects = once(() =>
    serveProjects({ config: config(), credentials: platformCredentials ?? credentials, timing, attemptMillis }),
  );

  async function create(event: ValidEvent, delivery: Delivery): Promise<Result & { readonly origin: Origin }> {
    const command = commandOf(event);
    const { instance_id } = event.request.backup;
    const project = await projects().locate(instance_id, delivery, event.request.project);
    try {
      return { ...(await project.create(command, delivery)), origin: project.origin };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.name === 'InstanceNotFound') projects().forget(instance_id);
      throw annotate(error, project.origin);
    }
  }

  const budget = (invocation: TimeLeft, signal?: AbortSignal): Budget => ({
    timeLeft: () => invocation.getRemainingTimeInMillis() - reserveMillis,
    signal,
  });

  return {
    timing,
    env,
    publish,
    handover,
    notify,
    authenticate: authentication({ isOpen: env.HTTP_AUTH === 'none', now: timing.now, webhookSecret }),
    create: async (event, invocation, signal, earlier = { firstDelivery: timing.now(), outcomeUnknown: false }) =>
      create(event, { ...earlier, ...budget(invocation, signal) }),
    deadlineOf: (event, firstDelivery) => deadlineOf(commandOf(event), firstDelivery, config().maxRequestAgeMillis),
    projects,
    budget,
  };
}

/** A value made when it is first asked for. A failure is not kept. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
