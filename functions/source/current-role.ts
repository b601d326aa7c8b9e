import type { Role } from '../source-database/secret.ts';

/**
 * Does something with the replication role as its secret says, and again when a rotation changed the secret meanwhile:
 * what was done with the password of before, setting it for one, holds no longer.
 * @param read the current version of the secret
 * @returns the last answer
 */
export async function withCurrentRole<Answer>(
  read: () => Promise<Role>,
  use: (role: Role) => Promise<Answer>,
): Promise<Answer> {
  for (let role = await read(); ; ) {
    const answer = await use(role);
    const now = await read();
    if (now.password === role.password) return answer;
    role = now;
  }
}
