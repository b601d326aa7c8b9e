import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import type { Command } from 'commander';
import { readTemplate } from '../cost/template.ts';
import { type PlannedChange, plannedChanges } from '../stage/change-set.ts';
import { explainAwsError } from '../stage/errors.ts';
import { openPlace, stageAddress } from '../stage/place.ts';
import { findStack } from '../stage/stack.ts';
import { UsageError } from '../usage-error.ts';
import { readRegistry } from './context.ts';
import { paint, table } from './output.ts';

type Options = { stage: string; region?: string; package: string; json?: boolean };

const TEMPLATE = 'cloudformation-template-update-stack.json';

/** Changes as a table; what is replaced or removed first, for that is where data can go. */
export function changesTable(changes: readonly PlannedChange[]): string {
  const weight = ({ action, replaced }: PlannedChange) =>
    action === 'Remove' || replaced === 'yes' ? 0 : replaced === 'maybe' ? 1 : 2;
  return table({
    columns: ['change', 'resource', 'type', 'replaced', 'because of'],
    rows: [...changes]
      .sort((a, b) => weight(a) - weight(b) || a.logicalId.localeCompare(b.logicalId))
      .map(({ action, logicalId, type, replaced, because }) => [
        action,
        logicalId,
        type,
        replaced,
        because.join(', '),
      ]),
  });
}

/** `3 added, 12 modified, 1 of them replaced, 2 removed`. */
export function changesSummary(changes: readonly PlannedChange[]): string {
  const count = (wanted: string) => changes.filter(({ action }) => action === wanted).length;
  const replaced = changes.filter((change) => change.replaced === 'yes').length;
  return `${count('Add')} added, ${count('Modify')} modified, ${replaced} of them replaced, ${count('Remove')} removed`;
}

/** A package's template: as text, and how many resources it has. @throws UsageError when there is none */
function packagedTemplate(folder: string, stage: string): { text: string; resources: number } {
  const file = join(folder, TEMPLATE);
  if (!existsSync(file)) {
    throw new UsageError(
      `${folder} holds no ${TEMPLATE}; run \`npx sls package --stage ${stage} --package ${folder}\` first.`,
    );
  }
  const { Resources } = readTemplate(file);
  return { text: readFileSync(file, 'utf8'), resources: Object.keys(Resources).length };
}

export function registerChanges(program: Command): void {
  program
    .command('changes')
    .description('show what deploying a package would change on a stage, and change nothing')
    .requiredOption('--stage <name>', 'the stage: dev, staging, prod')
    .option('--region <name>', "the stage's region (default: the one that sls deploy takes)")
    .option('--package <folder>', 'what `sls package --package <folder>` wrote', '.serverless')
    .option('--json', 'print a JSON array')
    .action(async (options: Options) => {
      const address = stageAddress(options.stage, options.region);
      const template = packagedTemplate(options.package, options.stage);
      try {
        const place = await openPlace(address, readRegistry().project);
        const cloudFormation = new CloudFormationClient(place.settings);
        if ((await findStack(cloudFormation, place.name())) === null) {
          console.log(
            `There is no stack ${place.name()} yet: all of its ${template.resources} resources would be created.`,
          );
          return;
        }
        const changes = await plannedChanges(cloudFormation, new S3Client(place.settings), {
          stack: place.name(),
          region: place.region,
          template: template.text,
        });
        if (options.json) console.log(JSON.stringify(changes, null, 2));
        else if (changes.length === 0) console.log(`${place.name()} is as the package would make it.`);
        else console.log(`${changesTable(changes)}\n\n${paint('bold', changesSummary(changes))}`);
      } catch (error) {
        throw explainAwsError(error, address) ?? error;
      }
    });
}
