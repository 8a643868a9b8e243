/**
 * Signing in at IAM: `POST /v3/auth/tokens` with a password, scoped to a project. On the real service IAM has a host of
 * its own. Reference: Identity and Access Management, "Obtaining a User Token Through Password Authentication".
 */
import type { User } from './credentials.ts';
import { asObject, parseJson } from './json.ts';
import type { Answer } from './operations/operation.ts';

/** A project that users sign in to. */
export interface SignInProject {
  readonly id: string;
  readonly name: string;
  readonly users: readonly User[];
}

export interface Tokens {
  /** The answer to a request for a token: 201 with the token in `X-Subject-Token`, or IAM's own kind of error. */
  create(body: Buffer): Answer;
  /** Undefined for what is no token. */
  read(
    text: string,
  ): { readonly projectId: string; readonly expiresAt: string; readonly isExpired: boolean } | undefined;
}

export interface TokenOptions {
  readonly projects: () => readonly SignInProject[];
  /** The gateway's clock, in milliseconds. */
  readonly now: () => number;
  readonly lifetime: () => number;
  readonly newToken: () => string;
  /** Where the catalogue says that DDS is. */
  readonly url: () => string;
}

const failure = (status: number, title: string, message: string): Answer => ({
  status,
  body: { error: { code: status, message, title } },
  tookEffect: false,
});

/** DDS in the catalogue of a token, under the type by which gophertelekomcloud looks for it. */
const ddsAt = (url: string) => ({
  id: 'dds',
  name: 'ddsv3',
  type: 'ddsv3',
  endpoints: [{ id: 'dds-eu-de', interface: 'public', region: 'eu-de', region_id: 'eu-de', url }],
});

/** `2026-03-01T12:00:00.000000Z` */
const keystoneTime = (millis: number): string => `${new Date(millis).toISOString().slice(0, 23)}000Z`;

export function tokenIssuer({ projects, now, lifetime, newToken, url }: TokenOptions): Tokens {
  const issued = new Map<string, { readonly projectId: string; readonly expires: number }>();

  return {
    create: (body) => {
      const wanted = readSignIn(body);
      if (!wanted) return failure(400, 'Bad Request', 'The request body is invalid.');
      const isUser = ({ name, password, domain }: User): boolean =>
        name === wanted.name && password === wanted.password && domain === wanted.domain;
      const reachable = projects().filter(({ users }) => users.some(isUser));
      if (reachable.length === 0) return failure(401, 'Unauthorized', 'The username or password is wrong.');
      const project = reachable.find(({ id, name }) => id === wanted.project.id || name === wanted.project.name);
      if (!project) return failure(401, 'Unauthorized', 'The request you have made requires authentication.');

      const [token, issuedAt, expires] = [newToken(), now(), now() + lifetime()];
      issued.set(token, { projectId: project.id, expires });
      const domain = { id: `domain-${wanted.domain}`, name: wanted.domain };
      return {
        status: 201,
        headers: { 'x-subject-token': token },
        body: {
          token: {
            methods: ['password'],
            issued_at: keystoneTime(issuedAt),
            expires_at: keystoneTime(expires),
            project: { id: project.id, name: project.name, domain },
            user: { id: `user-${wanted.name}`, name: wanted.name, domain },
            roles: [],
            catalog: [ddsAt(`${url()}/v3/${project.id}`)],
          },
        },
        tookEffect: true,
      };
    },
    read: (text) => {
      const token = issued.get(text);
      return (
        token && {
          projectId: token.projectId,
          expiresAt: keystoneTime(token.expires),
          isExpired: now() >= token.expires,
        }
      );
    },
  };
}

interface SignIn extends User {
  readonly project: { readonly id?: unknown; readonly name?: unknown };
}

function readSignIn(body: Buffer): SignIn | undefined {
  const auth = asObject(asObject(parseJson(body)).auth);
  const identity = asObject(auth.identity);
  const { name, password, domain } = asObject(asObject(identity.password).user);
  const { name: domainName } = asObject(domain);
  const project = asObject(asObject(auth.scope).project);
  if (!Array.isArray(identity.methods) || !identity.methods.includes('password')) return undefined;
  if (typeof name !== 'string' || typeof password !== 'string' || typeof domainName !== 'string') return undefined;
  if (typeof project.id !== 'string' && typeof project.name !== 'string') return undefined;
  return { name, password, domain: domainName, project };
}
