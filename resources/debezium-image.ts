import { PackagingError } from './packaging-error.ts';

const BY_DIGEST = /^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/;
const IN_ECR =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?<repository>[^@:]+)/;

/** The parts of an ECR image's address; null for an image of another registry. */
export function ecrRepository(image: string): { account: string; region: string; repository: string } | null {
  const groups = IN_ECR.exec(image)?.groups as
    | { account: string; region: string; repository: string }
    | undefined;
  return groups ? { ...groups } : null;
}

/**
 * A tag may name another image tomorrow, so that a task that is replaced would run what nobody deployed.
 * @param stage for the message
 * @param withoutInternet whether the network reaches AWS's endpoints only
 * @throws PackagingError for an image without a digest, and for one that the network can't pull
 */
export function assertImage(image: string, stage: string, withoutInternet: boolean): void {
  if (!BY_DIGEST.test(image)) {
    throw new PackagingError(
      `The parameter debeziumImage of stage ${stage} is "${image}"; it must name the image by its digest, <image>@sha256:<64 hexadecimal digits>. Run: npx cdc doctor --stage ${stage}, which finds the digest and prints the line to set.`,
    );
  }
  if (withoutInternet && ecrRepository(image) === null) {
    throw new PackagingError(
      `With egress=endpoints the network of stage ${stage} can't pull ${image}: push it to this account's ECR and set debeziumImage to <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>.`,
    );
  }
}
