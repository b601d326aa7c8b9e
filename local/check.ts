/** One thing that the doctor has looked at. */
export type Check = {
  what: string;
  /** `ok`; `note`: works, but know this; `missing`: does not work until it is put right. */
  result: 'ok' | 'note' | 'missing';
  found: string;
  /** What to do, a command where there is one; null when nothing is to be done. */
  remedy: string | null;
};

export function ok(what: string, found: string): Check {
  return { what, result: 'ok', found, remedy: null };
}

export function note(what: string, found: string, remedy: string): Check {
  return { what, result: 'note', found, remedy };
}

export function missing(what: string, found: string, remedy: string): Check {
  return { what, result: 'missing', found, remedy };
}
