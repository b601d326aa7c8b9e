import { describe, expect, it } from '@jest/globals';
import { networkPart, subnetAddresses } from '../../../resources/network.ts';
import { resourceOf, resourcesOfType, stageContext } from './stage-context.ts';

const ENDPOINTS = { egress: 'endpoints', s3PrefixList: 'pl-0123456789abcdef0' };
const EXISTING = {
  database: 'existing',
  sourceHost: 'db.example.com',
  sourcePort: '6432',
  sourceDatabase: 'shop',
  sourceSecretId: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-AbCdEf',
  sourceSecurityGroup: 'sg-0123456789abcdef0',
  sourceVpc: 'vpc-0123456789abcdef0',
  sourceVpcCidr: '10.0.0.0/16',
  sourceRouteTables: 'rtb-0123456789abcdef0, rtb-0123456789abcdef1',
};

type Rule = Record<string, unknown>;

async function rules(parameters: Record<string, string>): Promise<{ from: string[]; out: Rule[] }> {
  const part = await networkPart(stageContext('dev', parameters));
  const inline = resourcesOfType(part, 'AWS::EC2::SecurityGroup');
  const ingress = resourcesOfType(part, 'AWS::EC2::SecurityGroupIngress').map(({ Properties }) => Properties);
  const egress = resourcesOfType(part, 'AWS::EC2::SecurityGroupEgress').map(({ Properties }) => Properties);
  return {
    from: ingress.map((rule) => JSON.stringify(rule)),
    out: [...inline.flatMap(({ Properties }) => Properties['SecurityGroupEgress'] as Rule[]), ...egress],
  };
}

describe('the network', () => {
  it('has two zones in dev and three in prod', async () => {
    const dev = await networkPart(stageContext('dev'));
    const prod = await networkPart(stageContext('prod'));
    expect(Object.keys(dev.Resources ?? {})).toContain('PrivateSubnetB');
    expect(Object.keys(dev.Resources ?? {})).not.toContain('PrivateSubnetC');
    expect(Object.keys(prod.Resources ?? {})).toContain('PrivateSubnetC');
  });

  it.each(['dev', 'staging', 'prod'])(
    'of %s lists as many private subnets as it has zones',
    async (stage) => {
      const context = stageContext(stage);
      const zones = Number(await context.param('availabilityZones'));
      expect((await context.param('privateSubnets')).split(',')).toHaveLength(zones);
    },
  );

  it('stands where MSK can be: in us-east-1 the zone that it lacks has another name in each account', async () => {
    const zonesOf = async (region: string) =>
      resourcesOfType(await networkPart(stageContext('prod', { region })), 'AWS::EC2::Subnet').map(
        ({ Properties: { AvailabilityZone: zone, AvailabilityZoneId: id } }) => id ?? zone,
      );
    // The last one is the public subnet, in the first zone.
    expect(await zonesOf('us-east-1')).toEqual(['use1-az1', 'use1-az2', 'use1-az4', 'use1-az1']);
    expect(await zonesOf('eu-central-1')).toEqual(
      [0, 1, 2, 0].map((index) => ({ 'Fn::Select': [index, { 'Fn::GetAZs': '' }] })),
    );
  });

  it('lets nothing in the public subnet but the NAT', async () => {
    const part = await networkPart(stageContext('dev'));
    const users = Object.entries(part.Resources ?? {}).filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes('"PublicSubnet"'),
    );
    expect(users.map(([id]) => id).sort()).toEqual(['Nat', 'PublicSubnetRoutes']);
    const subnets = resourcesOfType(part, 'AWS::EC2::Subnet');
    expect(subnets.map(({ Properties }) => Properties['MapPublicIpOnLaunch'])).not.toContain(true);
  });

  it.each([
    ['a NAT', {}],
    ['endpoints', ENDPOINTS],
    ['an existing database', EXISTING],
  ])('with %s admits members of its own groups only', async (_, parameters) => {
    const { from } = await rules(parameters);
    expect(from.length).toBeGreaterThan(0);
    for (const rule of from) {
      expect(rule).toContain('SourceSecurityGroupId');
      expect(rule).not.toMatch(/Cidr/);
    }
  });

  it('opens the internet to port 443 alone, and only through a NAT', async () => {
    const open = (out: Rule[]) => out.filter((rule) => rule['CidrIp'] === '0.0.0.0/0');
    const throughNat = open((await rules({})).out);
    expect(throughNat.length).toBeGreaterThan(0);
    for (const rule of throughNat) expect(rule).toMatchObject({ FromPort: 443, ToPort: 443 });
    expect(open((await rules(ENDPOINTS)).out)).toEqual([]);
  });

  it('gives every group rules of its own for what goes out: none would mean everything', async () => {
    for (const parameters of [{}, ENDPOINTS, EXISTING]) {
      const part = await networkPart(stageContext('dev', parameters));
      for (const { Properties } of resourcesOfType(part, 'AWS::EC2::SecurityGroup')) {
        expect((Properties['SecurityGroupEgress'] as Rule[]).length).toBeGreaterThan(0);
      }
    }
  });

  it('has neither gateway nor NAT nor address when it has endpoints', async () => {
    const part = await networkPart(stageContext('dev', ENDPOINTS));
    const types = Object.values(part.Resources ?? {}).map(({ Type }) => Type);
    for (const type of ['AWS::EC2::InternetGateway', 'AWS::EC2::NatGateway', 'AWS::EC2::EIP']) {
      expect(types).not.toContain(type);
    }
    const interfaces = resourcesOfType(part, 'AWS::EC2::VPCEndpoint').filter(
      ({ Properties }) => Properties['VpcEndpointType'] === 'Interface',
    );
    expect(interfaces.length).toBeGreaterThan(0);
    for (const { Properties } of interfaces) {
      expect(Properties).toMatchObject({ PrivateDnsEnabled: true });
      expect(Properties['SubnetIds']).toHaveLength(2);
    }
  });

  it('leads to an existing database and back, on its port', async () => {
    const part = await networkPart(stageContext('dev', EXISTING));
    expect(resourceOf(part, 'SourceRoute').Properties).toMatchObject({
      DestinationCidrBlock: '10.0.0.0/16',
      RouteTableId: { Ref: 'PrivateRoutes' },
    });
    expect(resourceOf(part, 'SourceReturnRoute2').Properties).toMatchObject({
      RouteTableId: 'rtb-0123456789abcdef1',
    });
    expect(resourceOf(part, 'SourceFromConnect').Properties).toMatchObject({
      GroupId: 'sg-0123456789abcdef0',
      FromPort: 6432,
    });
    expect(Object.keys(part.Resources ?? {})).not.toContain('DatabaseSecurityGroup');
  });

  it('names the existing database’s group only once its network is peered', async () => {
    const part = await networkPart(stageContext('dev', EXISTING));
    const naming = Object.entries(part.Resources ?? {}).filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes(EXISTING.sourceSecurityGroup),
    );
    expect(naming.map(([id]) => id).sort()).toEqual([
      'ConnectSecurityGroup',
      'FunctionSecurityGroup',
      'SourceFromConnect',
      'SourceFromFunctions',
    ]);
    for (const [, { DependsOn }] of naming) expect(DependsOn).toBe('SourcePeering');
  });

  it('is ready when every route, rule and endpoint is', async () => {
    for (const parameters of [{}, ENDPOINTS, EXISTING]) {
      const part = await networkPart(stageContext('dev', parameters));
      const waits = resourceOf(part, 'NetworkReady').DependsOn as string[];
      for (const [id, { Type }] of Object.entries(part.Resources ?? {})) {
        const isPath = /::(Route|SubnetRouteTableAssociation|SecurityGroup(In|E)gress|VPCEndpoint)$/.test(
          Type,
        );
        expect([id, waits.includes(id)]).toEqual([id, isPath]);
      }
    }
  });

  it.each([
    [{ egress: 'vpn' }, /egress of stage dev is "vpn"; it must be nat or endpoints/],
    [{ egress: 'endpoints' }, /egress=endpoints needs the parameter s3PrefixList/],
    [{ ...ENDPOINTS, s3PrefixList: 'pl-x' }, /describe-managed-prefix-lists/],
    [{ vpcCidr: '10.20.0.0/20' }, /vpcCidr is "10.20.0.0\/20"; it must be a \/16/],
    [{ availabilityZones: '1' }, /availabilityZones .* must be 2 or 3/],
    [{ sourcePort: 'x' }, /sourcePort of stage dev is "x"/],
    [
      { ...EXISTING, sourceVpc: '', sourceHost: '' },
      /database=existing needs the parameters sourceHost, sourceVpc\..*--param="sourceHost=\.\.\."/,
    ],
  ])('refuses %j, and says what to do', async (parameters, message) => {
    await expect(networkPart(stageContext('dev', parameters as Record<string, string>))).rejects.toThrow(
      message,
    );
  });

  it('cuts its addresses into subnets that do not overlap', () => {
    const { vpc, public: nat, private: zones } = subnetAddresses('10.77.0.0/16');
    expect([vpc, nat, ...Object.values(zones)]).toEqual([
      '10.77.0.0/16',
      '10.77.240.0/24',
      '10.77.0.0/20',
      '10.77.16.0/20',
      '10.77.32.0/20',
    ]);
  });
});
