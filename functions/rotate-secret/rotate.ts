import type { RotationEvent } from './event.ts';

/** What a rotation does, and with what. */
export type RotationPorts = {
  isPending(version: string): Promise<boolean>;
  create(version: string): Promise<void>;
  makeCurrent(version: string): Promise<void>;
  /** The source function's action with a version of the secret, the current one when none is named. */
  source(action: 'set-password' | 'try-password', version?: string): Promise<void>;
  /** Starts Connect's task again: it gets the current version when it starts. */
  restartConnect(): Promise<void>;
};

/**
 * One step of the rotation of the replication role's password. Each may be repeated. The role has one password, so the
 * old one is dead as soon as the new one is set: setSecret itself makes the new version current, and who reads the
 * secret next, functions, Connect's task, a deployment, reads what the role has. Until the new task runs, Debezium's
 * connection goes on under the old password; a connector that happens to restart just then fails, and is started again.
 * @returns what was done, in words for the log
 * @throws Error when the new password could not be taken over, which says what the role has now
 */
export async function rotate(
  { Step, ClientRequestToken: version }: Pick<RotationEvent, 'Step' | 'ClientRequestToken'>,
  ports: RotationPorts,
): Promise<string> {
  const pending = await ports.isPending(version);
  switch (Step) {
    case 'createSecret':
      if (!pending) return 'the version is current already';
      await ports.create(version);
      return 'the new password waits';
    case 'setSecret':
      if (!pending) {
        // Secrets Manager begins again at the first step when a later one failed, testSecret for one.
        await agree(ports);
        return 'the version is current already, and the role has its password';
      }
      await takeOver(version, ports);
      return 'the role has the new password, which is current';
    case 'testSecret':
      // A new schedule is tried out with this step alone, on a version that nobody has filled
      // (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html).
      await ports.source('try-password');
      return 'the role logs in with the current password';
    case 'finishSecret':
      if (pending) await takeOver(version, ports);
      await agree(ports);
      await ports.restartConnect();
      return 'the new password is current, and Connect starts again with it';
  }
}

/** Gives the role the new password and makes it current; or leaves the role with the current one. */
async function takeOver(version: string, ports: RotationPorts): Promise<void> {
  try {
    await ports.source('set-password', version);
    await ports.source('try-password', version);
    await ports.makeCurrent(version);
  } catch (error) {
    const left = await ports.source('set-password').then(
      () => 'The role has the current password again; the rotation may be repeated.',
      (failure: Error) =>
        `Nor could the role be given the current password (${failure.message}): nobody may be able to log in. Repeat the rotation, or deploy.`,
    );
    throw new Error(`The new password was not taken over: ${(error as Error).message}. ${left}`, {
      cause: error,
    });
  }
}

/** A deployment that read the secret just before the change may have given the role the old password back. */
async function agree(ports: RotationPorts): Promise<void> {
  try {
    await ports.source('try-password');
  } catch {
    await ports.source('set-password');
    await ports.source('try-password');
  }
}
