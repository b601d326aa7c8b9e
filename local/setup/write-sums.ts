/**
 * Writes local/setup/jars/SHA256SUMS anew after a deliberate change of the pom: `npm run setup:sums`, then review the
 * difference. The sums are those of what Maven fetched just now: compare them with the publishers' where it matters.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshSums } from './jars.ts';
import { findPrerequisites } from './prerequisites.ts';

const file = join(import.meta.dirname, 'jars', 'SHA256SUMS');
writeFileSync(file, await freshSums(findPrerequisites()));
process.stdout.write(`${file} written; review it with git diff.\n`);
