export const REGIONS: readonly string[] = ['eu-de', 'eu-nl', 'eu-ch2'];

/**
 * Where `service` answers in `region`, or undefined where the region is none of `REGIONS`.
 * Source: https://docs.otc.t-systems.com/regions-and-endpoints/. For `eu-ch2` DDS is not listed: its host follows
 * the pattern of the services that are.
 */
export const endpoint = (service: string, region: string): string | undefined =>
  REGIONS.includes(region)
    ? `https://${service}.${region}${region === 'eu-ch2' ? '.sc' : ''}.otc.t-systems.com`
    : undefined;
