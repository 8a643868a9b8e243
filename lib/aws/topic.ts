/** Sends texts to an SNS topic. */
import type { Environment } from '../service/config.ts';
import type { Notifier } from '../service/ports.ts';
import { SECOND } from '../time.ts';
import type { AwsApi } from './api.ts';

const TOTAL_MILLIS = 8 * SECOND;
/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MAX_SUBJECT = 100;

/** To the topic that the variable `ALARM_TOPIC_ARN` names; to nowhere without one. */
export const topicNotifier =
  (env: Environment, call: AwsApi): Notifier =>
  async (subject, text) => {
    const { ALARM_TOPIC_ARN: topic } = env;
    if (!topic) return;
    const parameters = { Action: 'Publish', Version: '2010-03-31', TopicArn: topic, Subject: subject, Message: text };
    await call({
      service: 'sns',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: String(new URLSearchParams({ ...parameters, Subject: subject.slice(0, MAX_SUBJECT) })),
      totalMillis: TOTAL_MILLIS,
      about: `The topic ${topic}`,
      reason: 'PublishFailed',
    });
  };
