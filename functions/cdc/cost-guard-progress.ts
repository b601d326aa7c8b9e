/** What the state of a cost guard's execution holds of its steps; what wasn't reached is missing. */
export type CostGuardState = {
  action?: 'pause' | 'resume';
  lock?: { taken?: boolean };
  settings?: { database?: 'own' | 'existing' };
  /** What a pause has noted of what it found at work: the sets of names of a DynamoDB item. */
  memory?: { Item?: Partial<Record<'alarms' | 'schedules' | 'rules' | 'pipes', unknown>> };
  /** `NextToken` when not all pages of pipes have been stopped. */
  running?: { NextToken?: string };
  schedules?: unknown;
  rules?: unknown;
  pipes?: unknown;
  debezium?: unknown;
  database?: { status?: string };
  woken?: unknown;
  connector?: { state?: string };
  /** Why a pause that failed could not give alarms and keepers back to work. */
  watch_error?: { Error: string };
};

type Step = { what: string; done: boolean };

/** For people, what a pause or resume that failed has done and what it hasn't; nothing when it had not begun. */
export function progressLines(state: CostGuardState): string[] {
  if (state.lock?.taken !== true) return [];
  return state.action === 'pause' ? pauseLines(state) : resumeLines(state);
}

function pauseLines(state: CostGuardState): string[] {
  const { settings, running, schedules, pipes, debezium, database, watch_error: unwatched } = state;
  const steps: Step[] = [
    { what: 'schedules', done: schedules !== undefined },
    { what: 'pipes', done: pipes !== undefined && running?.NextToken === undefined },
    { what: 'Debezium', done: debezium !== undefined },
    ...(settings?.database === 'own'
      ? [{ what: 'database', done: /^stop/.test(database?.status ?? '') }]
      : []),
  ];
  return [
    ...listed('Asleep', 'Awake, or asleep in part', steps),
    unwatched === undefined
      ? 'Alarms have their actions, and what looks after the path is on. Pause again to finish it, or resume.'
      : `Alarms may be silent and what looks after the path off (${unwatched.Error}): nobody may tell what goes wrong. Pause again to finish it, or resume.`,
  ];
}

function resumeLines(state: CostGuardState): string[] {
  const { settings, memory, woken, database, connector, pipes, schedules, rules } = state;
  const noted = memory?.Item ?? {};
  const remembered = memory !== undefined;
  const woke = (kind: keyof typeof noted, result: unknown) =>
    remembered && (result !== undefined || noted[kind] === undefined);
  const steps: Step[] = [
    { what: "alarms' actions", done: woke('alarms', woken) },
    ...(settings?.database === 'own' ? [{ what: 'database', done: database?.status === 'available' }] : []),
    { what: 'Debezium', done: connector?.state === 'running' },
    { what: 'pipes', done: connector?.state === 'running' && woke('pipes', pipes) },
    { what: 'schedules', done: connector?.state === 'running' && woke('schedules', schedules) },
    { what: 'what looks after the path', done: connector?.state === 'running' && woke('rules', rules) },
  ];
  return [...listed('Awake', 'Asleep, or awake in part', steps), 'Resume again: it does the rest.'];
}

function listed(done: string, left: string, steps: readonly Step[]): string[] {
  const named = (wanted: boolean) => steps.filter((step) => step.done === wanted).map(({ what }) => what);
  return [
    `${done}: ${named(true).join(', ') || 'nothing'}.`,
    `${left}: ${named(false).join(', ') || 'nothing'}.`,
  ];
}
