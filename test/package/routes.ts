import { describe, expect, it } from 'vitest';
import type { Package } from '../cloudformation.ts';
import { arn, created, given, plain, properties } from './packaged.ts';

const BACKUPS = ['POST /backups', 'GET /backups', 'GET /backups/{backup_id}'].map((RouteKey) => ({
  ApiId: { Ref: 'HttpApi' },
  RouteKey,
  AuthorizationType: 'AWS_IAM',
  Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'HttpApiIntegrationHttp' }]] },
}));
const WEBHOOKS = {
  ApiId: { Ref: 'WebhookApi' },
  RouteKey: 'POST /webhooks',
  AuthorizationType: 'NONE',
  Target: { 'Fn::Sub': `integrations/\${WebhookIntegration}` },
};

const routes = (from: Package) => created('AWS::ApiGatewayV2::Route', from);
const stage = (ApiId: { Ref: string }, rate: number, burst: number, logGroup: string) => ({
  ApiId,
  StageName: '$default',
  AutoDeploy: true,
  // Of every route.
  DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
  AccessLogSettings: { DestinationArn: arn(logGroup), Format: expect.any(String) },
});

describe('HTTP routes', () => {
  it('by default → POST /backups and two to read, with IAM only', () => {
    expect(routes(plain)).toEqual(BACKUPS);
  });

  it('webhookRoute on → POST /webhooks too, without a check by the gateway', () => {
    expect(routes(given)).toEqual([...BACKUPS, WEBHOOKS]);
  });

  it('webhookRoute: only "on" creates the route', () => {
    expect(plain.template.Conditions.Webhooks).toEqual({ 'Fn::Equals': ['off', 'on'] });
    expect(given.template.Conditions.Webhooks).toEqual({ 'Fn::Equals': ['on', 'on'] });
  });

  it.each([
    ['by default', () => plain],
    ['with webhooks', () => given],
  ])('%s → no function URL, no REST API, no implicit route', (_, from) => {
    const types = Object.values(from().template.Resources).map(({ Type }) => Type);
    expect(types).not.toContain('AWS::Lambda::Url');
    expect(types.filter((type) => type.startsWith('AWS::ApiGateway::'))).toEqual([]);
    // With one of these an API has more routes.
    for (const api of created('AWS::ApiGatewayV2::Api', from())) {
      for (const name of ['Target', 'RouteKey', 'Body', 'BodyS3Location']) expect(api).not.toHaveProperty(name);
    }
  });

  it.each(['HttpApiIntegrationHttp', 'WebhookIntegration'])('%s: calls http with payload format 2.0', (id) => {
    expect(properties(id, given)).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: arn('HttpLambdaFunction'),
      PayloadFormatVersion: '2.0',
      TimeoutInMillis: 30_000,
    });
  });

  it('every API: throttled, since DDS throttles the whole project, and with an access log', () => {
    const iam = stage({ Ref: 'HttpApi' }, 10, 20, 'HttpApiLogGroup');
    const webhooks = stage({ Ref: 'WebhookApi' }, 5, 10, 'WebhookLogGroup');
    expect(created('AWS::ApiGatewayV2::Stage', plain)).toEqual([iam]);
    expect(created('AWS::ApiGatewayV2::Stage', given)).toEqual([iam, webhooks]);
  });

  it.each(['HttpApiStage', 'WebhookStage'])('%s: each line of its access log → JSON', (id) => {
    const { AccessLogSettings } = properties(id, given);
    const { Format } = AccessLogSettings as { Format: string };
    expect(Format).not.toContain('\n');
    expect(JSON.parse(Format)).toEqual({
      request_id: '$context.requestId',
      time: '$context.requestTime',
      route: '$context.routeKey',
      status: '$context.status',
      source_ip: '$context.identity.sourceIp',
      caller: '$context.identity.userArn',
      error: '$context.error.message',
      lambda_request_id: '$context.awsEndpointRequestId',
      integration_status: '$context.integrationStatus',
      integration_error: '$context.integrationErrorMessage',
    });
  });

  it.each([
    ['HttpApiLogGroup', ''],
    ['WebhookLogGroup', '-webhooks'],
  ])('%s: named by stage, kept as long as the logs of the functions', (id, suffix) => {
    const name = (stage: string) => `/aws/http-api/dds-backup-trigger-${stage}${suffix}`;
    expect(properties(id)).toEqual({ LogGroupName: name('dev'), RetentionInDays: 90 });
    const { LogGroupName, RetentionInDays } = properties(id, given);
    expect(LogGroupName).toBe(name('prod'));
    // CloudFormation takes a number in quotes.
    expect(Number(RetentionInDays)).toBe(30);
  });

  it('outputs: the URLs, of webhooks only with the route', () => {
    expect(plain.template.Outputs).toHaveProperty('HttpApiUrl');
    expect(plain.template.Outputs.WebhookUrl).toMatchObject({
      Condition: 'Webhooks',
      Value: { 'Fn::Sub': `https://\${WebhookApi}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}/webhooks` },
    });
  });
});
