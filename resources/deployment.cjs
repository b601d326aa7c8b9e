// What serverless.yml takes from the registry and from what Glue runs. Variables of the kind ${file(...)} can't read
// TypeScript, so tsx loads it.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const tsx = require('tsx/cjs/api');

module.exports = async ({ resolveVariable }) => {
  const root = join(__dirname, '..');
  const { parseRegistry } = tsx.require('../functions/cdc/registry.ts', __filename);
  const { assetFiles, contentHash } = tsx.require('./assets/contents.ts', __filename);
  const { responseBytes } = tsx.require('./delivery-limits.ts', __filename);
  const registry = readFileSync(join(root, 'tables.yml'), 'utf8');
  const { project } = parseRegistry(registry);
  return {
    project,
    // Stacks and functions allow no underscore in their names.
    service: project.replaceAll('_', '-'),
    registry: createHash('sha256').update(registry).digest('hex').slice(0, 16),
    assets: contentHash(assetFiles(root)),
    responseBytes: responseBytes(await resolveVariable('self:provider.region')),
  };
};
