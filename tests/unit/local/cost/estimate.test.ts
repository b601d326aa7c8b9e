import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Estimate, estimate } from '../../../../local/cost/estimate.ts';
import { unknownTypes } from '../../../../local/cost/items.ts';
import { levers } from '../../../../local/cost/levers.ts';
import { parsePrices, readPrices } from '../../../../local/cost/price-table.ts';
import { besideReference } from '../../../../local/cost/reference.ts';
import { readTemplate, type Template } from '../../../../local/cost/template.ts';
import { HOURS, type Workload } from '../../../../local/cost/traffic.ts';

const PRICES = readPrices();
const WORKLOAD: Workload = {
  changesPerDay: 100_000,
  rowBytes: 500,
  changesPerTransaction: 5,
  jobMinutes: 2,
  maintenanceMinutes: 15,
  athenaGigabytes: 100,
};

function glueJob(workers: number, execution = 'STANDARD') {
  return {
    Type: 'AWS::Glue::Job',
    Properties: { WorkerType: 'G.1X', NumberOfWorkers: workers, ExecutionClass: execution },
  };
}

/** A stage in small: what is priced, once each. */
const TEMPLATE: Template = {
  Resources: {
    KafkaCluster: {
      Type: 'AWS::MSK::Cluster',
      Properties: {
        NumberOfBrokerNodes: 2,
        BrokerNodeGroupInfo: {
          InstanceType: 'kafka.t3.small',
          StorageInfo: { EBSStorageInfo: { VolumeSize: 20 } },
        },
      },
    },
    ConnectTask: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu: '512', Memory: '2048' } },
    ConnectService: {
      Type: 'AWS::ECS::Service',
      Properties: { DesiredCount: 1, TaskDefinition: { Ref: 'ConnectTask' } },
    },
    Database: {
      Type: 'AWS::RDS::DBInstance',
      Properties: { DBInstanceClass: 'db.t4g.micro', AllocatedStorage: '20', StorageType: 'gp3' },
    },
    PrivateSubnetA: { Type: 'AWS::EC2::Subnet' },
    PrivateSubnetB: { Type: 'AWS::EC2::Subnet' },
    NatGateway: { Type: 'AWS::EC2::NatGateway' },
    BronzeJob: glueJob(2),
    SilverJob: glueJob(2),
    GoldJob: glueJob(2),
    MaintenanceJob: glueJob(2),
    MedallionSchedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: { ScheduleExpression: 'rate(1 hour)' },
    },
    MaintenanceSchedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: { ScheduleExpression: 'cron(30 3 * * ? *)' },
    },
    MedallionStateMachine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        Definition: {
          StartAt: 'Look',
          States: {
            Look: { Type: 'Choice', Choices: [{ Next: 'Work' }], Default: 'Done' },
            Work: { Type: 'Task', Resource: 'arn:aws:states:::glue:startJobRun.sync', Next: 'Done' },
            Done: { Type: 'Pass', End: true },
          },
        },
      },
    },
    PipeUsers: {
      Type: 'AWS::Pipes::Pipe',
      Properties: {
        SourceParameters: {
          ManagedStreamingKafkaParameters: {
            TopicName: 'cdc.public.users',
            BatchSize: 500,
            MaximumBatchingWindowInSeconds: 5,
          },
        },
      },
    },
    StreamUsers: { Type: 'AWS::KinesisFirehose::DeliveryStream' },
  },
};

function usdOf({ lines }: Estimate, price: string): number {
  return lines.filter((line) => line.price === price).reduce((sum, { usd }) => sum + usd, 0);
}

describe('an estimate', () => {
  const month = estimate(TEMPLATE, WORKLOAD, PRICES);

  it('multiplies what is deployed by its price and the hours of a month', () => {
    expect(usdOf(month, 'msk.kafka.t3.small')).toBeCloseTo(2 * HOURS * 0.0456);
    expect(usdOf(month, 'msk.storage')).toBeCloseTo(2 * 20 * 0.1);
    expect(usdOf(month, 'fargate.x86_64.vcpu')).toBeCloseTo(0.5 * HOURS * 0.04048);
    expect(usdOf(month, 'fargate.x86_64.memory')).toBeCloseTo(2 * HOURS * 0.004445);
    expect(usdOf(month, 'rds.db.t4g.micro')).toBeCloseTo(HOURS * 0.016);
    expect(usdOf(month, 'nat.hour')).toBeCloseTo(32.85);
  });

  it('bills three jobs a run, each for its minutes on all workers, and the daily maintenance', () => {
    const layers = (24 * (365 / 12) * 3 * 2 * 2) / 60;
    const maintenance = ((365 / 12) * 15 * 2) / 60;
    expect(usdOf(month, 'glue.standard')).toBeCloseTo((layers + maintenance) * 0.44);
  });

  it('bills the states that a run passes, and those of a run that finds nothing', () => {
    const started = 24 * (365 / 12);
    const three = 3 * (365 / 12);
    const calm = estimate(TEMPLATE, { ...WORKLOAD, changesPerDay: 3 }, PRICES);
    expect(usdOf(month, 'states.transition')).toBeCloseTo(started * 3 * 0.000025, 6);
    expect(usdOf(calm, 'states.transition')).toBeCloseTo((three * 3 + (started - three) * 2) * 0.000025, 6);
  });

  it('bills a job for a minute at least', () => {
    const quick = estimate(TEMPLATE, { ...WORKLOAD, jobMinutes: 0.2, maintenanceMinutes: 0 }, PRICES);
    const minutes = (24 * 3 + 1) * (365 / 12) * 2;
    expect(usdOf(quick, 'glue.standard')).toBeCloseTo((minutes / 60) * 0.44);
  });

  it('has no more runs with work than changes', () => {
    expect(estimate(TEMPLATE, { ...WORKLOAD, changesPerDay: 3 }, PRICES).runs).toBeCloseTo(3 * (365 / 12));
  });

  it('sums to its lines, and a million changes cost what their share is', () => {
    const sum = month.lines.reduce((usd, line) => usd + line.usd, 0);
    expect(month.total).toBeCloseTo(sum);
    expect(month.total).toBeCloseTo(month.fixed + month.schedule + month.usage);
    expect(month.perMillionChanges).toBeCloseTo((month.usage / (100_000 * (365 / 12))) * 1e6);
  });

  it('lists what it has no price for with its quantity, and never makes one up', () => {
    const dear = structuredClone(TEMPLATE) as {
      Resources: Record<string, { Properties: Record<string, unknown> }>;
    };
    (dear.Resources['Database'] as { Properties: object }).Properties = {
      DBInstanceClass: 'db.m7g.large',
      AllocatedStorage: 100,
      MultiAZ: true,
    };
    const { unpriced, lines } = estimate(dear as unknown as Template, WORKLOAD, PRICES);
    expect(lines.filter(({ service }) => service === 'Amazon RDS')).toEqual([]);
    expect(unpriced).toContainEqual(
      expect.objectContaining({ what: 'db.m7g.large in two zones', quantity: HOURS, unit: 'instance-hour' }),
    );
    expect(unpriced).toContainEqual(expect.objectContaining({ what: 'storage gp2', quantity: 100 }));
    expect(unpriced).toContainEqual(expect.objectContaining({ service: 'Amazon Data Firehose', unit: 'GB' }));
  });

  it('names a type that it does not know', () => {
    const strange = { Resources: { ...TEMPLATE.Resources, X: { Type: 'AWS::Neptune::DBCluster' } } };
    expect(unknownTypes(strange)).toEqual(['AWS::Neptune::DBCluster']);
  });

  it('counts in the units of the price table', () => {
    for (const { price, unit, service } of month.lines) {
      expect({ price, unit, service }).toEqual({
        price,
        unit: PRICES[price]?.unit,
        service: PRICES[price]?.service,
      });
    }
  });
});

describe('the levers', () => {
  const choices = levers(TEMPLATE, WORKLOAD, PRICES);
  const saves = (choice: string) => choices.find((lever) => lever.choice.includes(choice))?.saves;

  it('save what the estimate without them is above the one with them', () => {
    const slower = structuredClone(TEMPLATE) as { Resources: Record<string, { Properties?: object }> };
    (slower.Resources['MedallionSchedule'] as { Properties: object }).Properties = {
      ScheduleExpression: 'rate(4 hours)',
    };
    const difference =
      estimate(TEMPLATE, WORKLOAD, PRICES).total -
      estimate(slower as unknown as Template, WORKLOAD, PRICES).total;
    expect(saves('rate(4 hours)')).toBeCloseTo(difference);
    expect(difference).toBeGreaterThan(0);
    expect(saves('rate(5 minutes)')).toBeLessThan(0);
  });

  it('let Connect, the database and the runs sleep for nights and weekends', () => {
    const hourly = 0.5 * 0.04048 + 2 * 0.004445 + 0.016;
    const runs = ((24 * 365) / 12) * ((3 * 2 * 2 * 0.44) / 60 + 3 * 0.000025);
    expect(saves('asleep 108 of 168 hours')).toBeCloseTo(((hourly * HOURS + runs) * 108) / 168);
  });

  it('count the same whether the stage sleeps already or not', () => {
    const schedule = (ScheduleExpression: string) => ({
      Type: 'AWS::Scheduler::Schedule',
      Properties: { ScheduleExpression },
    });
    const asleep = {
      Resources: {
        ...TEMPLATE.Resources,
        CostGuardStopSchedule: schedule('cron(0 19 ? * MON-FRI *)'),
        CostGuardStartSchedule: schedule('cron(0 7 ? * MON-FRI *)'),
      },
    };
    const month = estimate(asleep, WORKLOAD, PRICES);
    expect(month.hoursAsleep).toBe(108);
    const lever = levers(asleep, WORKLOAD, PRICES).find(({ choice }) => choice.includes('as it is'));
    expect(lever?.saves).toBeCloseTo(estimate(TEMPLATE, WORKLOAD, PRICES).total - month.total);
    expect(lever?.saves).toBeCloseTo(saves('asleep 108 of 168 hours') ?? 0);
  });

  it('pay interface endpoints by zone instead of the NAT', () => {
    const choice = choices.find(({ lever }) => lever === 'network');
    const [, interfaces, zones] = /\((\d+) interfaces in (\d+) zones\)/.exec(choice?.choice ?? '') ?? [];
    const endpoints = Number(interfaces) * Number(zones) * HOURS * 0.01;
    const nat = estimate(TEMPLATE, WORKLOAD, PRICES).lines.filter(({ service }) => service === 'NAT gateway');
    expect(zones).toBe('2');
    expect(choice?.saves).toBeCloseTo(nat.reduce((sum, { usd }) => sum + usd, 0) - endpoints);
  });

  it('say what they save in hours and bytes where there is no price', () => {
    const hours = usdOf(estimate(TEMPLATE, WORKLOAD, PRICES), 'glue.standard') / 0.44;
    expect(choices.find(({ lever }) => lever === 'Glue FLEX')).toMatchObject({
      saves: null,
      note: expect.stringContaining(`each cent that FLEX's is cheaper saves ${(hours / 100).toFixed(2)} USD`),
    });
    expect(choices.find(({ lever }) => lever === 'packs')?.note).toMatch(
      /bills [\d.]+ GB instead of [\d.]+ GB/,
    );
  });

  it('are in USD as soon as the table has the price', () => {
    const entry = { service: 's', what: 'w', region: 'us-east-1', date: '2026-11', source: 'aws' as const };
    const prices = {
      ...PRICES,
      'glue.flex': { ...entry, unit: 'DPU-hour', usd: 0.22 },
      'firehose.gb': { ...entry, unit: 'GB', usd: 1 },
    };
    const priced = levers(TEMPLATE, WORKLOAD, prices);
    const glue = usdOf(estimate(TEMPLATE, WORKLOAD, PRICES), 'glue.standard');
    expect(priced.find(({ lever }) => lever === 'Glue FLEX')?.saves).toBeCloseTo(glue / 2);
    expect(priced.find(({ lever }) => lever === 'packs')?.saves).toBeGreaterThan(0);
  });
});

describe("the reference platform's table", () => {
  const rows = besideReference(estimate(TEMPLATE, WORKLOAD, PRICES));

  it('sums to the 53 USD that it claims', () => {
    expect(rows.at(-1)).toMatchObject({ part: 'total', reference: 53 });
  });

  it('is explained with what its own parts cost by the price table', () => {
    expect(Math.round(2 * HOURS * (PRICES['msk.kafka.t3.small']?.usd ?? 0))).toBe(67);
    expect(Math.round(15 / (PRICES['glue.standard']?.usd ?? 1))).toBe(34);
    const task =
      0.25 * (PRICES['fargate.arm64.vcpu']?.usd ?? 0) + 0.5 * (PRICES['fargate.arm64.memory']?.usd ?? 0);
    expect(Math.round(task * HOURS)).toBe(7);
    expect(rows.find(({ part }) => part === 'MSK')?.why).toContain('67 USD');
    expect(rows.find(({ part }) => part === 'Glue')?.why).toContain('34 DPU-hours');
  });
});

describe('the price table', () => {
  it('dates every entry and says where it comes from', () => {
    const text = readFileSync(new URL('../../../../local/cost/prices.yml', import.meta.url), 'utf8');
    expect(() => parsePrices(text)).not.toThrow();
    expect(() => parsePrices('x: {service: a, what: b, unit: c, usd: 1, region: us-east-1}')).toThrow(
      'x.date',
    );
    expect(() => parsePrices('x: {service: a}')).toThrow('x.usd');
  });
});

describe('a template', () => {
  it('that can not be read is refused by name', () => {
    expect(() => readTemplate('/nowhere/template.json')).toThrow("/nowhere/template.json can't be read");
  });
});
