import { describe, expect, it } from 'vitest';
import { serverless, temporaryService } from '../serverless.ts';
import { GIVEN } from './packaged.ts';

const parameters = (...list: readonly string[]) => list.flatMap((parameter) => ['--param', parameter]);

describe('serverless deploy', { timeout: 30_000 }, () => {
  it('parameters missing or wrong → stops at once, names all of them, without a stack trace', async () => {
    const { code, output } = await serverless(['deploy', ...parameters('webhookRoute=yes')]);
    expect(code).toBe(1);
    expect(output).toContain('Invalid projectId: "". Give the id of the project on Open Telekom Cloud, or projects');
    expect(output).toContain('Invalid alarmEmail: "". Give an e-mail address for alarms, or alarmTopicArn');
    expect(output).toContain('Invalid webhookRoute: "yes". Give on or off.');
    expect(output).not.toMatch(/^ +at /m);
  });

  it('required parameters given → goes on, as far as the missing account', async () => {
    const required = GIVEN.filter((parameter) => /^(projectId|alarmTopicArn)=/.test(parameter));
    await using service = await temporaryService();
    const { code, output } = await serverless(['deploy', ...parameters(...required)], {
      cwd: service.folder,
      env: { AWS_EC2_METADATA_DISABLED: 'true' },
    });
    expect(code).toBe(1);
    expect(output).toContain('AWS provider credentials not found');
  });
});

describe('serverless package', { timeout: 30_000 }, () => {
  it('required parameters of a deployment, no account → packages', async () => {
    await using service = await temporaryService();
    const required = parameters('projectId=0549b4a43100d4f32f51c01c2fe4acdb', 'alarmTopicArn=none');
    const { code, output, errors } = await serverless(['package', ...required], { cwd: service.folder });
    expect({ code, errors: errors.match(/warn|error/i) }, output).toEqual({ code: 0, errors: null });
  });

  it('a change of clocks skips a nightly run → one warning', async () => {
    await using service = await temporaryService();
    const nightly = ['nightlyInstances=all', 'nightlySchedule=cron(30 2 * * ? *)', 'nightlyTimezone=Europe/Berlin'];
    const { code, output, errors } = await serverless(['package', ...parameters(...nightly)], { cwd: service.folder });
    expect(code).toBe(0);
    expect((output + errors).match(/the clocks of Europe\/Berlin skip \d{4}-03-\d\d 02:30/g)).toHaveLength(1);
  });
});
