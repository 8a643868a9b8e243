/** Packages the service once for all tests, and finds resources in the template. */
import { decided, holds, isObject, type Package, packageService, type Resource } from '../cloudformation.ts';

export const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:on-call';
export const GIVEN = [
  'nightlyInstances=tag:backup=nightly',
  'nightlyExcept=scratch-1,scratch-2',
  'nightlyNamePrefix=night',
  'nightlySchedule=cron(0 22 ? * MON-FRI *)',
  'nightlyTimezone=Europe/Berlin',
  `alarmTopicArn=${TOPIC}`,
  'webhookRoute=on',
  'projectId=0549b4a43100d4f32f51c01c2fe4acdb',
  'ddsEndpoint=https://dds.example.com',
  'credentialsSecret=team/dds',
  'eventBus=orders',
  'eventSource=shop.release',
  'eventDetailType=Migration Planned',
  'logRetentionInDays=30',
  'maxRequestAgeHours=168',
  'stuckAfterHours=6',
  'maxBackupAgeHours=50',
  'maxBackupAgeOverrides=scratch-1=48,scratch-2=off',
  'backupAgeOf=manual',
  'reportTime=05:15',
  'retention=nightly: keep-within 14d, keep-last 3; before-migration: keep-within 30d, keep-last 1',
  'retentionSecret=team/dds-retention',
  'retentionMode=delete',
  'retentionInstances=tag:backup=nightly',
  'retentionHolds=hold-1,hold-2',
  'retentionMaxDeletions=9',
];
export const EMAIL = 'on-call@example.com';
const PROJECTS = 'eu-de:project-1,eu-nl:project-2';
/** Variables of a shell that packaging must not read. */
const SHELL = Object.fromEntries(
  [
    ...['HTTP_AUTH', 'OTC_SDK_AK', 'OTC_SDK_SK', 'OTC_SDK_PROJECT_ID', 'WEBHOOK_SECRET', 'DDS_ENDPOINT'],
    ...['STAGE', 'RETENTION', 'RETENTION_MODE', 'DEFERRED_FUNCTION', 'ALARM_TOPIC_ARN', 'OTC_SDK_PROJECTS'],
    ...['NIGHTLY_INSTANCES', 'NIGHTLY_EXCEPT', 'INVOKE_FUNCTION'],
  ].map((name) => [name, 'from-the-shell']),
);

/**
 * Packaged without parameters; for the stage prod with all parameters that change a resource; and with an address for
 * alarms and several projects.
 */
export const [plain, given, mailed] = await Promise.all([
  packageService([], SHELL),
  packageService(['--stage', 'prod', ...GIVEN.flatMap((parameter) => ['--param', parameter])], SHELL),
  packageService(['--param', `alarmEmail=${EMAIL}`, '--param', `projects=${PROJECTS}`], SHELL),
]);

/** The functions that take requests. */
export const TRIGGERS = [
  { name: 'http', id: 'Http', role: 'HttpRole', timeout: 29, bundle: 'http' },
  { name: 'event-bus', id: 'EventDashbus', role: 'EventBusRole', timeout: 60, bundle: 'event-bus' },
  { name: 'invoke', id: 'Invoke', role: 'InvokeRole', timeout: 60, bundle: 'invoke' },
] as const;

export const FUNCTIONS = [
  ...TRIGGERS,
  { name: 'deferred', id: 'Deferred', role: 'DeferredRole', timeout: 60, bundle: 'deferred/index' },
  { name: 'monitor', id: 'Monitor', role: 'MonitorRole', timeout: 300, bundle: 'monitor' },
  { name: 'nightly', id: 'Nightly', role: 'NightlyRole', timeout: 900, bundle: 'nightly' },
  { name: 'retention', id: 'Retention', role: 'RetentionRole', timeout: 900, bundle: 'retention' },
] as const;

export type FunctionName = (typeof FUNCTIONS)[number]['name'];

export const resource = (id: string, { template } = plain): Resource => {
  const found = template.Resources[id];
  if (found === undefined) throw new Error(`the template has no ${id}`);
  return found;
};

/** The properties that a deployment gives to a resource. */
export const properties = (id: string, from = plain) => decidedProperties(resource(id, from), from);

function decidedProperties({ Properties }: Resource, { template }: Package): Readonly<Record<string, unknown>> {
  const properties = decided(template, Properties);
  if (!isObject(properties)) throw new Error('the properties are no object');
  return properties;
}

export const ofType = (type: string, { template } = plain): Record<string, Resource> =>
  Object.fromEntries(Object.entries(template.Resources).filter(([, { Type }]) => Type === type));

/** The properties of the resources that a deployment creates: without a condition, or with one that holds. */
export const created = (type: string, from = plain) =>
  Object.values(ofType(type, from))
    .filter(({ Condition }) => Condition === undefined || holds(from.template, Condition))
    .map((one) => decidedProperties(one, from));

export const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
