/** What the emulator holds and accepts unless a test says otherwise. The keys are made up and open nothing. */
import type { Credentials, User } from './credentials.ts';
import type { Instance } from './records.ts';

export const DEMO_PROJECT_ID = '0549b4a43100d4f32f51c01c2fe4acdb';
export const DEMO_PROJECT_NAME = 'eu-de_demo';

export const DEMO_CREDENTIALS: Credentials = {
  ak: 'EMULATORACCESSKEY000',
  sk: 'EmulatorSecretKeyThatOpensNothing0000000',
};

/** A temporary key, as IAM hands it out: it is accepted only together with its token. */
export const DEMO_TEMPORARY_CREDENTIALS: Credentials = {
  ak: 'EMULATORTEMPORARY000',
  sk: 'EmulatorTemporaryKeyThatOpensNothing0000',
  securityToken: 'emulator-security-token-that-opens-nothing',
};

export const DEMO_USER: User = {
  name: 'demo',
  password: 'emulator-password',
  domain: 'OTC-EU-DE-00000000001000000000',
};

const datastore = { type: 'DDS-Community', version: '4.4' } as const;

/** The instance of the reference's samples. */
export const DEMO_INSTANCE: Instance = {
  id: 'a89dab5e39394eccbdb77b19d57b0180in02',
  name: 'orders',
  status: 'normal',
  mode: 'ReplicaSet',
  datastore,
  createdAt: Date.parse('2025-01-13T08:00:00Z'),
};

/** A second one, for what must not get in each other's way. */
export const DEMO_OTHER_INSTANCE: Instance = {
  id: '8f2c1d7b64e04b0f9a3de5c07b162439in02',
  name: 'catalogue',
  status: 'normal',
  mode: 'Sharding',
  datastore,
  createdAt: Date.parse('2025-02-03T08:00:00Z'),
};

/** One that takes no backup. */
export const DEMO_FAULTY_INSTANCE: Instance = {
  id: '5b0c6a1e9d2f47c8b3e4a7f61820d95cin02',
  name: 'legacy',
  status: 'abnormal',
  mode: 'Single',
  datastore: { type: 'DDS-Community', version: '4.0' },
  createdAt: Date.parse('2024-06-17T08:00:00Z'),
};

export const DEMO_INSTANCES: readonly Instance[] = [DEMO_INSTANCE, DEMO_OTHER_INSTANCE, DEMO_FAULTY_INSTANCE];
