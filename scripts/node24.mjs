/**
 * Loaded before every script. Node 24 comes with `npm ci`, as a development dependency; where its install script did not
 * run, an older Node would stop at the first type annotation. Plain JavaScript, for Node 18.18 and later.
 */
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `Needs Node 24, not ${major}. Run it through npm (npm run …, npm exec -- node …); npm ci without --ignore-scripts installs Node 24.`,
  );
  process.exit(1);
}
