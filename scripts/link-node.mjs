/**
 * Run after `npm install`. Two packages bring a command `node`: `node` (24, for everything here) and `node20` (20.15, for
 * the functions of FunctionGraph). npm links the one that it installed last; the scripts need the first. Plain JavaScript,
 * since either may run it.
 */
import { existsSync, rmSync, symlinkSync } from 'node:fs';

const LINK = 'node_modules/.bin/node';

if (process.platform !== 'win32' && existsSync('node_modules/node/bin/node')) {
  rmSync(LINK, { force: true });
  symlinkSync('../node/bin/node', LINK);
}
