/** Something that the user can put right; printed without a stack trace, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
