/** What a caller of the emulated cloud can prove himself with. */

/** An access key; `securityToken` goes with a temporary one. */
export interface Credentials {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string;
}

/** A user of IAM, who may sign in to a project with a password. */
export interface User {
  readonly name: string;
  readonly password: string;
  /** The name of the account. */
  readonly domain: string;
}
