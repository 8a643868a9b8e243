import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACTION_NAMES } from './dds/control-shapes.ts';
import { startEmulator } from './dds/emulator.ts';
import { OPERATION_NAMES } from './dds/routes.ts';
import { DEFAULT_SETTINGS } from './dds/settings.ts';
import { send } from './dds/signed-call.ts';

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');

describe('README.md', () => {
  it.each([...ACTION_NAMES, ...OPERATION_NAMES, ...Object.keys(DEFAULT_SETTINGS)])('%s → described', (name) => {
    expect(README).toContain(`\`${name}\``);
  });

  it('each curl command → 200', async () => {
    await using emulator = await startEmulator();
    const commands = [...README.matchAll(/^curl \$E(\S*)(?: -d '(.*)')?$/gm)];
    expect(commands.length).toBeGreaterThan(ACTION_NAMES.length);
    for (const [command, path = '', body] of commands) {
      const method = body === undefined ? 'GET' : 'POST';
      const { status, text } = await send(emulator, { method, target: `/emulator/control${path}`, body: body ?? '' });
      expect([command, status, status === 200 ? '' : text]).toEqual([command, 200, '']);
    }
  });
});
