/** The service as the tests package it, once for all of them. */
import { holds, packageService, type Resource } from '../cloudformation.ts';

export const INSTANCE = 'a89dab5e39394eccbdb77b19d57b0180in02';
export const LAYER =
  'arn:aws:lambda:eu-central-1:111122223333:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:7';
export const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:on-call';
export const GIVEN = [
  `secretsExtensionLayer=${LAYER}`,
  `nightlyInstanceId=${INSTANCE}`,
  `alarmTopicArn=${TOPIC}`,
  'webhookRoute=on',
  'projectId=0549b4a43100d4f32f51c01c2fe4acdb',
  'ddsEndpoint=https://dds.example.com',
  'credentialsSecret=team/dds',
  'eventBus=orders',
  'eventSource=shop.release',
  'eventDetailType=Migration Announced',
  'logRetentionInDays=30',
  'deferredPatienceSeconds=7200',
  'stuckAfterHours=6',
  'freshnessHours=50',
  'freshnessIgnores=scratch-1,scratch-2',
];
/** A shell in which a deployment must not find anything. */
const SHELL = Object.fromEntries(
  ['HTTP_AUTH', 'OTC_SDK_AK', 'OTC_SDK_SK', 'OTC_SDK_PROJECT_ID', 'WEBHOOK_SECRET', 'DDS_ENDPOINT'].map((name) => [
    name,
    'from-the-shell',
  ]),
);

/** Packaged without a single parameter, and for the stage prod with all parameters that change what is created. */
export const [plain, given] = await Promise.all([
  packageService([], SHELL),
  packageService(['--stage', 'prod', ...GIVEN.flatMap((parameter) => ['--param', parameter])], SHELL),
]);

/** Those that a request for a backup comes in by. */
export const TRIGGERS = [
  { name: 'http', id: 'Http', role: 'HttpRole', timeout: 29, bundle: 'http' },
  { name: 'event-bus', id: 'EventDashbus', role: 'EventBusRole', timeout: 60, bundle: 'event-bus' },
  { name: 'invoke', id: 'Invoke', role: 'InvokeRole', timeout: 60, bundle: 'invoke' },
] as const;

export const FUNCTIONS = [
  ...TRIGGERS,
  { name: 'deferred', id: 'Deferred', role: 'DeferredRole', timeout: 60, bundle: 'deferred/index' },
  { name: 'watch', id: 'Watch', role: 'WatchRole', timeout: 60, bundle: 'watch' },
] as const;

export type FunctionName = (typeof FUNCTIONS)[number]['name'];

export const resource = (id: string, { template } = plain): Resource => {
  const found = template.Resources[id];
  if (found === undefined) throw new Error(`the template has no ${id}`);
  return found;
};

export const properties = (id: string, from = plain) => resource(id, from).Properties;

export const ofType = (type: string, { template } = plain): Record<string, Resource> =>
  Object.fromEntries(Object.entries(template.Resources).filter(([, { Type }]) => Type === type));

/** The properties of those that come into being: without a condition, or with one that holds. */
export const created = (type: string, from = plain) =>
  Object.values(ofType(type, from))
    .filter(({ Condition }) => Condition === undefined || holds(from.template, Condition))
    .map(({ Properties }) => Properties);

export const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
