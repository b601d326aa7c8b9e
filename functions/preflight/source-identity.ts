/** Which database and which cluster the stream came from at a run, kept from run to run. LSNs are decimal strings. */
export type SourceIdentity = {
  epoch: number;
  system_identifier: string | null;
  timeline: number | null;
  lsn: string | null;
  /** Kafka's cluster id. */
  cluster: string | null;
};

/** What could be learned now; null what could not. */
export type SourceNow = Omit<SourceIdentity, 'epoch'>;

/**
 * Why the stream can't be the one that the lake was built from; null when it can. Offsets and LSNs start again when
 * the cluster or the database is replaced, so changes would be taken for old ones and lost. A new epoch orders before
 * everything, and accepts any source.
 */
export function refusalOf(last: SourceIdentity | undefined, now: SourceNow, epoch: number): string | null {
  if (last === undefined || epoch > last.epoch) return null;
  if (epoch < last.epoch) {
    return `The epoch went back from ${last.epoch} to ${epoch}: the lake holds changes of epoch ${last.epoch}, and those of a lower one would be taken for old. Set epoch in tables.yml to ${last.epoch} or more.`;
  }
  const change = changeOf(last, now);
  if (change === undefined) return null;
  return `${change} Offsets or LSNs have started again, so new changes could be taken for old ones and be lost. Raise epoch in tables.yml from ${epoch} to ${epoch + 1}, deploy, and let the connector snapshot the tables anew.`;
}

function changeOf(last: SourceIdentity, now: SourceNow): string | undefined {
  if (differs(last.system_identifier, now.system_identifier)) {
    return `The source is another database: its system identifier was ${last.system_identifier} and is ${now.system_identifier}.`;
  }
  if (differs(last.timeline, now.timeline)) {
    return `The source was restored or failed over: its timeline was ${last.timeline} and is ${now.timeline}.`;
  }
  if (last.lsn !== null && now.lsn !== null && BigInt(now.lsn) < BigInt(last.lsn)) {
    return `The source's log went back: its LSN was ${last.lsn} and is ${now.lsn}.`;
  }
  if (differs(last.cluster, now.cluster)) {
    return `Kafka is another cluster: its id was ${last.cluster} and is ${now.cluster}.`;
  }
  return undefined;
}

function differs(last: string | number | null, now: string | number | null): boolean {
  return last !== null && now !== null && last !== now;
}

/** What to keep: what was learned now, else what was known of this epoch. */
export function rememberedIdentity(
  last: SourceIdentity | undefined,
  now: SourceNow,
  epoch: number,
): SourceIdentity {
  const known = last?.epoch === epoch ? last : undefined;
  return {
    epoch,
    system_identifier: now.system_identifier ?? known?.system_identifier ?? null,
    timeline: now.timeline ?? known?.timeline ?? null,
    lsn: now.lsn ?? known?.lsn ?? null,
    cluster: now.cluster ?? known?.cluster ?? null,
  };
}
