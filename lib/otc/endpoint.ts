/**
 * Where a service answers, by region.
 * Source: https://docs.otc.t-systems.com/regions-and-endpoints/. For `eu-ch2` DDS is not listed: its host follows
 * the pattern of the services that are.
 */
const DOMAINS: Readonly<Record<string, string>> = {
  'eu-de': 'eu-de.otc.t-systems.com',
  'eu-nl': 'eu-nl.otc.t-systems.com',
  'eu-ch2': 'eu-ch2.sc.otc.t-systems.com',
};

export const REGIONS = Object.keys(DOMAINS);

/** The endpoint of `service` in `region`, or undefined where the region is none of `REGIONS`. */
export const endpoint = (service: string, region: string): string | undefined =>
  Object.hasOwn(DOMAINS, region) ? `https://${service}.${DOMAINS[region]}` : undefined;
