// Resources that are generated in TypeScript, for `${file(resources/generated.cjs):<name>}` in serverless.yml. Variables
// of the kind ${file(...)} can't read TypeScript, so tsx loads it.
const tsx = require('tsx/cjs/api');

module.exports = ({ resolveVariable }) =>
  tsx.require('./generated.ts', __filename).generated((variable) => resolveVariable(variable));
