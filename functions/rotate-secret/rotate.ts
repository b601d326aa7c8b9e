import type { RotationEvent } from './event.ts';

/** What a rotation does, and with what. */
export type RotationPorts = {
  isPending(version: string): Promise<boolean>;
  create(version: string): Promise<void>;
  makeCurrent(version: string): Promise<void>;
  /** Whether a version has a text yet. */
  hasText(version: string): Promise<boolean>;
  /** The source function's action with a version of the secret, the current one when none is named. */
  source(action: 'set-password' | 'try-password', version?: string): Promise<void>;
  /** Starts Connect's task again: it gets the current version when it starts. */
  restartConnect(): Promise<void>;
};

/**
 * One step of the rotation of the replication role's password. Each may be repeated. Between setSecret and the new task,
 * Debezium's connection goes on under the old password; a connector that happens to restart just then fails until the
 * new task runs, and is started again.
 * @returns what was done, in words for the log
 */
export async function rotate(
  { Step, ClientRequestToken: version }: Pick<RotationEvent, 'Step' | 'ClientRequestToken'>,
  ports: RotationPorts,
): Promise<string> {
  const pending = await ports.isPending(version);
  // finishSecret may have been cut off between its two halves.
  if (!pending && Step !== 'finishSecret') return 'the version is current already';
  switch (Step) {
    case 'createSecret':
      await ports.create(version);
      return 'the new password waits';
    case 'setSecret':
      await ports.source('set-password', version);
      return 'the role has the new password';
    case 'testSecret':
      // A new schedule is tried out with this step alone, on a version that nobody has filled
      // (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html).
      if (!(await ports.hasText(version))) {
        await ports.source('try-password');
        return 'the role logs in with the current password; there is no new one yet';
      }
      await ports.source('try-password', version);
      return 'the role logs in with the new password';
    case 'finishSecret':
      if (pending) await ports.makeCurrent(version);
      await ports.restartConnect();
      return 'the new password is current, and Connect starts again with it';
  }
}
