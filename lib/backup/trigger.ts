/** What set off a backup. Every delivery of one trigger bears the same identity. */
export interface Trigger {
  readonly kind: 'http' | 'event-bus' | 'invoke';
  readonly id: string;
  /** Where the time is part of the identity. */
  readonly time?: Date;
}
