import { isObject, isoMillis } from './envelope.ts';
import type { PackEvent } from './pack.ts';
import { UnreadableRecord } from './unreadable-record.ts';

/** Where a transaction begins or ends. */
export type TransactionMark = Pick<PackEvent, 'op' | 'tx_id' | 'lsn' | 'source_ts'>;

const OPS = new Map<unknown, 'begin' | 'end'>([
  ['BEGIN', 'begin'],
  ['END', 'end'],
]);

/**
 * Reads a record of the transaction topic. Its id is `<txId>:<lsn>`; BEGIN and END of one transaction differ in the LSN.
 * @throws UnreadableRecord `no-envelope` or `unknown-op`
 */
export function readTransaction(text: string): TransactionMark {
  const payload: unknown = JSON.parse(text);
  const id = isObject(payload) ? /^(\d{1,20}):(\d{1,20})$/.exec(String(payload['id'])) : null;
  if (!isObject(payload) || id === null) {
    throw new UnreadableRecord(
      'no-envelope',
      'the payload is no transaction metadata: it has no id txId:lsn',
    );
  }
  const op = OPS.get(payload['status']);
  if (op === undefined) {
    const status = String(JSON.stringify(payload['status'])).slice(0, 40);
    throw new UnreadableRecord('unknown-op', `status ${status} is none of BEGIN, END`);
  }
  return { op, tx_id: id[1] as string, lsn: id[2] as string, source_ts: isoMillis(payload['ts_ms']) };
}
