/** The reference platform's own cost table beside this stage's lines, with what makes the difference. */
import type { Estimate } from './estimate.ts';

export type ReferenceRow = {
  part: string;
  /** USD a month, as that table has it. */
  reference: number;
  /** What we estimate for the same part; null where there is no price for all of it. */
  here: number | null;
  why: string;
};

type Part = { part: string; reference: number; services: readonly string[]; why: string };

/** Its table: two kafka.t3.small; ECS with 256 CPU and 512 MB; Glue with two G.1X; RDS db.t3.micro; S3. */
const PARTS: readonly Part[] = [
  {
    part: 'MSK',
    reference: 30,
    services: ['Amazon MSK'],
    why: 'Two kafka.t3.small at the list price are 67 USD by themselves; 30 is less than one of them and leaves out storage.',
  },
  {
    part: 'ECS',
    reference: 7,
    services: ['AWS Fargate'],
    why: '7 USD are 256 CPU and 512 MB, of which Debezium dies. 512 CPU and 2 GB is what it runs on.',
  },
  {
    part: 'Glue',
    reference: 15,
    services: ['AWS Glue'],
    why: '15 USD are 34 DPU-hours: two G.1X for 34 minutes a day. Here every run of the schedule is counted, maintenance too.',
  },
  {
    part: 'RDS',
    reference: 0,
    services: ['Amazon RDS'],
    why: 'The free tier ends after a year, or never was; the list price is shown. Storage has no price in the table.',
  },
  {
    part: 'S3',
    reference: 1,
    services: ['Amazon S3'],
    why: 'No price in the table; the quantity is listed.',
  },
  {
    part: 'network',
    reference: 0,
    services: ['NAT gateway', 'VPC endpoints'],
    why: 'Left out there. Something must take the image in and the calls out: a NAT gateway or endpoints.',
  },
  {
    part: 'the path and its runs',
    reference: 0,
    services: ['EventBridge Pipes', 'AWS Step Functions', 'Amazon Athena'],
    why: 'There it is Kafka Streams and Airflow, whose machines that table leaves out; Athena is left out, too.',
  },
];

/** The reference platform's parts beside ours; the last row is the total. */
export function besideReference({ lines, unpriced, total }: Estimate): ReferenceRow[] {
  const rows = PARTS.map(({ part, reference, services, why }) => {
    const own = lines.filter(({ service }) => services.includes(service));
    const none = own.length === 0 && unpriced.some(({ service }) => services.includes(service));
    return { part, reference, here: none ? null : own.reduce((sum, { usd }) => sum + usd, 0), why };
  });
  const reference = PARTS.reduce((sum, part) => sum + part.reference, 0);
  return [...rows, { part: 'total', reference, here: total, why: 'Without what is not priced.' }];
}
