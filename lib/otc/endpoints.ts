/** Where the services of Open Telekom Cloud answer. */

export const REGIONS: readonly string[] = ['eu-de', 'eu-nl', 'eu-ch2'];

/**
 * The origin of `service` in `region`; undefined for a region that is not in `REGIONS`.
 * Source: https://docs.otc.t-systems.com/regions-and-endpoints/. DDS in `eu-ch2` is not listed there: its host follows
 * the pattern of the services that are.
 */
export const endpointOf = (service: string, region: string): string | undefined =>
  REGIONS.includes(region)
    ? `https://${service}.${region}${region === 'eu-ch2' ? '.sc' : ''}.otc.t-systems.com`
    : undefined;
