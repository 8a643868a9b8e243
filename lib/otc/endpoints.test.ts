import { expect, it } from 'vitest';
import { endpointOf, REGIONS } from './endpoints.ts';

it.each([
  ['dds', 'eu-de', 'https://dds.eu-de.otc.t-systems.com'],
  ['dds', 'eu-nl', 'https://dds.eu-nl.otc.t-systems.com'],
  ['smn', 'eu-ch2', 'https://smn.eu-ch2.sc.otc.t-systems.com'],
  ['dds', 'eu-moon', undefined],
  ['dds', '', undefined],
])('endpointOf: %s in %s → %s', (service, region, endpoint) => {
  expect(endpointOf(service, region)).toBe(endpoint);
});

it('REGIONS: each → has an endpoint', () => {
  expect(REGIONS).toEqual(['eu-de', 'eu-nl', 'eu-ch2']);
});
