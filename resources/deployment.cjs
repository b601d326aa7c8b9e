// What serverless.yml takes from the registry. Variables of the kind ${file(...)} can't read TypeScript, so tsx loads it.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const tsx = require('tsx/cjs/api');

module.exports = () => {
  const { parseRegistry } = tsx.require('../functions/cdc/registry.ts', __filename);
  const { project, epoch } = parseRegistry(readFileSync(join(__dirname, '..', 'tables.yml'), 'utf8'));
  // Stacks and functions allow no underscore in their names.
  return { project, epoch: String(epoch), service: project.replaceAll('_', '-') };
};
