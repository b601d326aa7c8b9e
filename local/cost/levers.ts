/** What a choice saves: the estimate with it against the estimate without. */
import { endpointApis } from '../../resources/network-apis.ts';
import { type Estimate, estimate } from './estimate.ts';
import type { PriceTable } from './price-table.ts';
import { property, resourcesOf, type Template, type TemplateResource } from './template.ts';
import { HOURS, type Workload } from './traffic.ts';

export type Lever = {
  lever: string;
  choice: string;
  /** USD a month that it saves against the stage as it is; negative: it costs more. Null: the table lacks a price. */
  saves: number | null;
  /** What is saved where no price is known, or what it costs otherwise. */
  note: string;
};

const GB = 1e9;
const WEEK_HOURS = 168;
/** Nights and weekends, when the template has no cost-guard: at work from 7 to 19, Monday to Friday. */
const OFFICE = {
  CostGuardStopSchedule: 'cron(0 19 ? * MON-FRI *)',
  CostGuardStartSchedule: 'cron(0 7 ? * MON-FRI *)',
};
const RATES = ['rate(5 minutes)', 'rate(15 minutes)', 'rate(1 hour)', 'rate(4 hours)', 'rate(1 day)'];

type Case = { template: Template; workload: Workload; prices: PriceTable; now: Estimate };

/** Every lever with its saving. */
export function levers(template: Template, workload: Workload, prices: PriceTable): Lever[] {
  const one = { template, workload, prices, now: estimate(template, workload, prices) };
  return [costGuard(one), flex(one), ...rates(one), egress(one), packs(one)];
}

/** What sleeping outside of working hours saves, whether the stage does it already or not. */
function costGuard({ template, workload, prices, now }: Case): Lever {
  const without = Object.entries(template.Resources).filter(
    ([id]) => !/^CostGuard(Stop|Start)Schedule$/.test(id),
  );
  const schedules = Object.entries(OFFICE).map(([id, ScheduleExpression]): [string, TemplateResource] => [
    id,
    { Type: 'AWS::Scheduler::Schedule', Properties: { ScheduleExpression } },
  ]);
  const onAlready = now.hoursAsleep > 0;
  const awake = estimate({ Resources: Object.fromEntries(without) }, workload, prices);
  const asleep = onAlready
    ? now
    : estimate({ Resources: Object.fromEntries([...without, ...schedules]) }, workload, prices);
  return {
    lever: 'cost-guard',
    choice: `costGuard: on${onAlready ? ' (as it is)' : ''}, asleep ${asleep.hoursAsleep} of ${WEEK_HOURS} hours a week`,
    saves: saving(awake, asleep),
    note: 'Connect, the own database and the runs sleep; brokers, NAT and storage can be removed, not stopped',
  };
}

function flex({ template, workload, prices, now }: Case): Lever {
  const other = withProperties(template, 'AWS::Glue::Job', (job) => ({ ...job, ExecutionClass: 'FLEX' }));
  const hours = now.lines
    .filter(({ price }) => price === 'glue.standard')
    .reduce((sum, { quantity }) => sum + quantity, 0);
  const base = { lever: 'Glue FLEX', choice: 'glueExecution: FLEX' };
  if (!prices['glue.flex']) {
    return {
      ...base,
      saves: null,
      note: `${hours.toFixed(0)} DPU-hours: each cent that FLEX's is cheaper saves ${perCent(hours)}; a run may wait for capacity`,
    };
  }
  return {
    ...base,
    saves: saving(now, estimate(other, workload, prices)),
    note: 'a run may wait for spare capacity',
  };
}

function rates({ template, workload, prices, now }: Case): Lever[] {
  const deployed = property(template.Resources['MedallionSchedule']?.Properties, 'ScheduleExpression');
  return RATES.filter((rate) => rate !== deployed).map((rate) => {
    const other = withProperties(template, 'AWS::Scheduler::Schedule', (schedule, id) =>
      id === 'MedallionSchedule' ? { ...schedule, ScheduleExpression: rate } : schedule,
    );
    return {
      lever: 'schedule',
      choice: `runEvery: ${rate}`,
      saves: saving(now, estimate(other, workload, prices)),
      note: `instead of ${String(deployed)}: how old the lake may be`,
    };
  });
}

/** The other way of the network to AWS. */
function egress({ template, workload, prices, now }: Case): Lever {
  const zones = resourcesOf(template, 'AWS::EC2::Subnet').filter(([id]) =>
    id.startsWith('PrivateSubnet'),
  ).length;
  const withNat = resourcesOf(template, 'AWS::EC2::NatGateway').length > 0;
  const apis = endpointApis().interfaces;
  const kept = Object.entries(template.Resources).filter(
    ([, { Type, Properties }]) =>
      !/^AWS::EC2::(NatGateway|EIP)$/.test(Type) && property(Properties, 'VpcEndpointType') !== 'Interface',
  );
  const added: [string, TemplateResource][] = withNat
    ? apis.map((api) => [`Endpoint ${api}`, interfaceEndpoint(zones)])
    : [
        ['NatGateway', { Type: 'AWS::EC2::NatGateway' }],
        ['NatAddress', { Type: 'AWS::EC2::EIP' }],
      ];
  const other = estimate({ Resources: Object.fromEntries([...kept, ...added]) }, workload, prices);
  return {
    lever: 'network',
    choice: withNat ? `egress: endpoints (${apis.length} interfaces in ${zones} zones)` : 'egress: nat',
    saves: saving(now, other),
    note: withNat
      ? `no way out to the internet, the image must lie in ECR; ${apis.length * zones * HOURS} zone-hours against ${HOURS} of a NAT and its data; the endpoints' own data has no price here`
      : 'everything inside may reach the internet',
  };
}

function interfaceEndpoint(zones: number): TemplateResource {
  return {
    Type: 'AWS::EC2::VPCEndpoint',
    Properties: {
      VpcEndpointType: 'Interface',
      SubnetIds: Array.from({ length: zones }, (_, i) => `zone ${i}`),
    },
  };
}

/** What packs save already: Firehose rounds each record up to 5 KB. */
function packs({ prices, now }: Case): Lever {
  const billed = now.traffic.reduce((sum, { firehoseBytes }) => sum + firehoseBytes, 0) / GB;
  const unpacked =
    now.traffic.reduce((sum, { firehoseBytesUnpacked }) => sum + firehoseBytesUnpacked, 0) / GB;
  const price = prices['firehose.gb'];
  return {
    lever: 'packs',
    choice: 'one Firehose record a pack, not an event (built in)',
    saves: price ? (unpacked - billed) * price.usd : null,
    note: `Firehose bills ${billed.toFixed(2)} GB instead of ${unpacked.toFixed(2)} GB: each cent that a GB costs saves ${perCent(unpacked - billed)}`,
  };
}

/** What a cent on so many units comes to, where the table has no price for them. */
function perCent(units: number): string {
  return `${(units / 100).toFixed(2)} USD`;
}

function saving(now: Estimate, other: Estimate): number {
  return now.total - other.total;
}

function withProperties(
  template: Template,
  type: string,
  change: (properties: Readonly<Record<string, unknown>>, id: string) => Readonly<Record<string, unknown>>,
): Template {
  const changed = resourcesOf(template, type).map(([id, properties]): [string, TemplateResource] => [
    id,
    { Type: type, Properties: change(properties, id) },
  ]);
  return { Resources: { ...template.Resources, ...Object.fromEntries(changed) } };
}
