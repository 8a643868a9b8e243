import { describe, expect, it } from 'vitest';
import { serverless, temporaryService } from '../serverless.ts';
import { GIVEN } from './packaged.ts';

describe('deploying', { timeout: 30_000 }, () => {
  it('stops at once and names all parameters that are missing or wrong', async () => {
    const { code, output } = await serverless(['deploy', '--param', 'webhookRoute=yes']);
    expect(code).toBe(1);
    expect(output).toContain('projectId');
    expect(output).toContain('secretsExtensionLayer');
    expect(output).toContain('webhookRoute: on or off, not "yes"');
    expect(output, 'a stack trace').not.toMatch(/^ +at /m);
  });

  it('goes on, as far as the missing account, when they are given', async () => {
    const required = GIVEN.filter((parameter) => /^(projectId|secretsExtensionLayer)=/.test(parameter));
    await using service = await temporaryService();
    const { code, output } = await serverless(['deploy', ...required.flatMap((p) => ['--param', p])], {
      cwd: service.folder,
      env: { AWS_EC2_METADATA_DISABLED: 'true' },
    });
    expect(code).toBe(1);
    expect(output).toContain('AWS provider credentials not found');
  });
});
