import type { Emulator } from '../../emulator/dds/emulator.ts';
import { DEMO_CREDENTIALS, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';

/** The environment of a function that talks to `emulator`. */
export const environment = ({ url }: Pick<Emulator, 'url'>): Record<string, string> => ({
  DDS_ENDPOINT: url,
  OTC_SDK_PROJECT_ID: DEMO_PROJECT_ID,
  OTC_SDK_AK: DEMO_CREDENTIALS.ak,
  OTC_SDK_SK: DEMO_CREDENTIALS.sk,
});
