import type { QuarantineCode } from './pack.ts';

/** A record's data could not be understood: its `code` and message become the quarantine's reason. */
export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord';
  readonly code: QuarantineCode;

  constructor(code: QuarantineCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
