import { describe, expect, it } from 'vitest';
import type { Package } from '../cloudformation.ts';
import { arn, created, given, plain, properties } from './packaged.ts';

const BACKUPS = {
  ApiId: { Ref: 'HttpApi' },
  RouteKey: 'POST /backups',
  AuthorizationType: 'AWS_IAM',
  Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'HttpApiIntegrationHttp' }]] },
};
const WEBHOOKS = {
  ApiId: { Ref: 'WebhookApi' },
  RouteKey: 'POST /webhooks',
  AuthorizationType: 'NONE',
  Target: { 'Fn::Sub': `integrations/\${WebhookIntegration}` },
};

const routes = (from: Package) => created('AWS::ApiGatewayV2::Route', from);
const throttled = (ApiId: { Ref: string }, rate: number, burst: number) => ({
  ApiId,
  StageName: '$default',
  AutoDeploy: true,
  DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
});

describe('over HTTP', () => {
  it('there is one way in by default: POST /backups, behind IAM', () => {
    expect(routes(plain)).toEqual([BACKUPS]);
  });

  it('there is a second one when webhookRoute is on, which the gateway leaves to the function', () => {
    expect(routes(given)).toEqual([BACKUPS, WEBHOOKS]);
  });

  it('nothing but "on" opens the second one', () => {
    expect(plain.template.Conditions.Webhooks).toEqual({ 'Fn::Equals': ['off', 'on'] });
    expect(given.template.Conditions.Webhooks).toEqual({ 'Fn::Equals': ['on', 'on'] });
  });

  it.each([
    ['by default', () => plain],
    ['with webhooks', () => given],
  ])('%s there are no ways in that are not routes of these', (_, from) => {
    const types = Object.values(from().template.Resources).map(({ Type }) => Type);
    expect(types).not.toContain('AWS::Lambda::Url');
    expect(types.filter((type) => type.startsWith('AWS::ApiGateway::'))).toEqual([]);
    // With a target or a body an API makes routes of its own.
    for (const api of created('AWS::ApiGatewayV2::Api', from())) {
      for (const maker of ['Target', 'RouteKey', 'Body', 'BodyS3Location']) expect(api).not.toHaveProperty(maker);
    }
  });

  it.each(['HttpApiIntegrationHttp', 'WebhookIntegration'])('%s hands http what it expects', (id) => {
    expect(properties(id, given)).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: arn('HttpLambdaFunction'),
      PayloadFormatVersion: '2.0',
      TimeoutInMillis: 30_000,
    });
  });

  it('every API is throttled, so that a caller gone wild does not use up what DDS allows the project', () => {
    const iam = throttled({ Ref: 'HttpApi' }, 10, 20);
    expect(created('AWS::ApiGatewayV2::Stage', plain)).toEqual([iam]);
    expect(created('AWS::ApiGatewayV2::Stage', given)).toEqual([iam, throttled({ Ref: 'WebhookApi' }, 5, 10)]);
  });

  it('the addresses are told, of webhooks only where they are taken', () => {
    expect(plain.template.Outputs).toHaveProperty('HttpApiUrl');
    expect(plain.template.Outputs.WebhookUrl).toMatchObject({
      Condition: 'Webhooks',
      Value: { 'Fn::Sub': `https://\${WebhookApi}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}/webhooks` },
    });
  });
});
