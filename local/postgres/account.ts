import { execFileSync } from 'node:child_process';

/** A system account: PostgreSQL refuses to run as root. */
export type Account = { name: string; uid: number; gid: number };

const CANDIDATES = ['postgres', 'nobody'];

/**
 * The account PostgreSQL runs under: null for this process's own, or, as root, an existing unprivileged one. No
 * account is made.
 */
export function postgresAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of CANDIDATES) {
    const [uid, gid] = [numericId('-u', name), numericId('-g', name)];
    if (uid !== null && gid !== null && uid !== 0) return { name, uid, gid };
  }
  throw new Error(
    `PostgreSQL does not run as root, and there is no account named ${CANDIDATES.join(' or ')} to run it under; start as an ordinary user.`,
  );
}

/** Whether the account can run a program, that is, reach it through every folder above it. */
export function canRun(account: Account, program: string): boolean {
  try {
    execFileSync(program, ['--version'], { uid: account.uid, gid: account.gid, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether the account can reach a folder. */
export function canEnter(account: Account, folder: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
      uid: account.uid,
      gid: account.gid,
      cwd: '/',
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

function numericId(option: '-u' | '-g', name: string): number | null {
  try {
    return Number(
      execFileSync('id', [option, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return null;
  }
}
