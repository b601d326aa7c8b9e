import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att, ref, sub } from './intrinsics.ts';
import { endpointApis } from './network-apis.ts';
import { chosen, PackagingError, required } from './packaging-error.ts';
import { type Peer, readSource, type Source } from './source.ts';

type Resources = Record<string, Resource>;

/** How workloads in the network reach AWS: through a NAT, or through endpoints and then nothing else at all. */
type Egress = { kind: 'nat' } | { kind: 'endpoints'; s3PrefixList: string };

const ZONES = ['A', 'B', 'C'] as const;
type Zone = (typeof ZONES)[number];

/**
 * Zones by their ids, which mean the same in every account, for a region in which MSK can't be everywhere: brokers take
 * no subnet in use1-az3 (https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html, clientSubnets), which is
 * us-east-1a in one account and us-east-1e in another. Other regions: the account's first ones.
 */
const ZONE_IDS: Readonly<Record<string, Record<Zone, string>>> = {
  'us-east-1': { A: 'use1-az1', B: 'use1-az2', C: 'use1-az4' },
};

const CONNECT_PORT = 8083;
/** Ports of the brokers' listeners (https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html). */
const SCRAM_PORT = 9096;
const IAM_PORT = 9098;
const HTTPS_PORT = 443;

/** For a group whose members open no connections: CloudFormation takes an empty list for "everywhere". */
const NOTHING = {
  IpProtocol: 'icmp',
  FromPort: 252,
  ToPort: 86,
  CidrIp: '255.255.255.255/32',
  Description: 'Nothing: no such address, no such ICMP type',
};

/**
 * Network of a stage: private subnets, one public subnet for the NAT (`egress: nat`) or endpoints instead of it
 * (`egress: endpoints`), and security groups that name each other. Nothing in it has a public address but the NAT.
 * @throws PackagingError for parameters of which no network can be made
 */
export async function networkPart(context: StageContext): Promise<TemplatePart> {
  const egress = await readEgress(context);
  const source = await readSource(context);
  const zones = await readZones(context);
  const addresses = subnetAddresses(await context.param('vpcCidr'));
  const resources: Resources = {
    ...vpc(context.prefix, addresses.vpc),
    ...privateSubnets(context, zones, addresses),
    ...(egress.kind === 'nat' ? nat(context, addresses) : interfaceEndpoints(context.prefix, zones)),
    ...gatewayEndpoints(egress),
    ...(source.peer === null ? {} : peering(context.prefix, source.peer)),
    ...afterPeering(source, securityGroups(context.prefix, egress, source)),
    ...discovery(context.prefix),
    ...flowLog(context.prefix),
  };
  return { Resources: { ...resources, NetworkReady: networkReady(resources) } };
}

async function readEgress(context: StageContext): Promise<Egress> {
  const kind = await chosen(context, 'egress', ['nat', 'endpoints']);
  if (kind === 'nat') return { kind };
  const { s3PrefixList } = await required(context, ['s3PrefixList'], 'egress=endpoints');
  if (/^pl-[0-9a-f]{8,}$/.test(s3PrefixList)) return { kind, s3PrefixList };
  throw new PackagingError(
    `The parameter s3PrefixList of stage ${context.stage} is "${s3PrefixList}", no id of a prefix list. Find it with: aws ec2 describe-managed-prefix-lists --filters "Name=prefix-list-name,Values=com.amazonaws.<region>.s3"`,
  );
}

async function readZones(context: StageContext): Promise<Zone[]> {
  const count = await chosen(context, 'availabilityZones', ['2', '3']);
  return ZONES.slice(0, Number(count));
}

type SubnetAddresses = { vpc: string; public: string; private: Record<Zone, string> };

/**
 * Addresses of the subnets in a /16: 4,091 for each private one, of which pipes, functions, brokers and tasks take some
 * hundreds, and 251 for the NAT.
 * @throws PackagingError when it is not a /16
 */
export function subnetAddresses(cidr: string): SubnetAddresses {
  const start = /^(\d{1,3}\.\d{1,3})\.0\.0\/16$/.exec(cidr)?.[1];
  if (start === undefined) {
    throw new PackagingError(
      `The parameter vpcCidr is "${cidr}"; it must be a /16 such as 10.20.0.0/16, and may not overlap with a network that is to be peered.`,
    );
  }
  return {
    vpc: cidr,
    public: `${start}.240.0/24`,
    private: { A: `${start}.0.0/20`, B: `${start}.16.0/20`, C: `${start}.32.0/20` },
  };
}

function vpc(prefix: string, cidr: string): Resources {
  return {
    Vpc: {
      Type: 'AWS::EC2::VPC',
      Properties: {
        CidrBlock: cidr,
        EnableDnsHostnames: true,
        EnableDnsSupport: true,
        Tags: named(prefix),
      },
    },
  };
}

/** One route table for all: there is one way out, whatever the zone. */
function privateSubnets(
  { prefix, region }: StageContext,
  zones: readonly Zone[],
  addresses: SubnetAddresses,
): Resources {
  const subnets = zones.flatMap((zone) => [
    [
      `PrivateSubnet${zone}`,
      subnet(`${prefix}-private-${zone.toLowerCase()}`, addresses.private[zone], inZone(region, zone)),
    ],
    [`PrivateRoutes${zone}`, routesOf(`PrivateSubnet${zone}`, 'PrivateRoutes')],
  ]);
  return { PrivateRoutes: routeTable(`${prefix}-private`), ...Object.fromEntries(subnets) };
}

function inZone(region: string, zone: Zone): Record<string, unknown> {
  const id = ZONE_IDS[region]?.[zone];
  if (id !== undefined) return { AvailabilityZoneId: id };
  return { AvailabilityZone: { 'Fn::Select': [ZONES.indexOf(zone), { 'Fn::GetAZs': '' }] } };
}

function subnet(name: string, cidr: string, zone: Record<string, unknown>): Resource {
  return {
    Type: 'AWS::EC2::Subnet',
    Properties: {
      VpcId: ref('Vpc'),
      CidrBlock: cidr,
      ...zone,
      MapPublicIpOnLaunch: false,
      Tags: named(name),
    },
  };
}

/** The only way between the network and the internet, outwards, from a subnet that holds nothing else. */
function nat({ prefix, region }: StageContext, addresses: SubnetAddresses): Resources {
  return {
    PublicSubnet: subnet(`${prefix}-public`, addresses.public, inZone(region, 'A')),
    InternetGateway: {
      Type: 'AWS::EC2::InternetGateway',
      Properties: { Tags: named(prefix) },
    },
    InternetGatewayAttachment: {
      Type: 'AWS::EC2::VPCGatewayAttachment',
      Properties: { VpcId: ref('Vpc'), InternetGatewayId: ref('InternetGateway') },
    },
    PublicRoutes: routeTable(`${prefix}-public`),
    PublicDefaultRoute: {
      Type: 'AWS::EC2::Route',
      DependsOn: 'InternetGatewayAttachment',
      Properties: {
        RouteTableId: ref('PublicRoutes'),
        DestinationCidrBlock: '0.0.0.0/0',
        GatewayId: ref('InternetGateway'),
      },
    },
    PublicSubnetRoutes: routesOf('PublicSubnet', 'PublicRoutes'),
    NatAddress: {
      Type: 'AWS::EC2::EIP',
      DependsOn: 'InternetGatewayAttachment',
      Properties: { Domain: 'vpc', Tags: named(`${prefix}-nat`) },
    },
    Nat: {
      Type: 'AWS::EC2::NatGateway',
      // While the stack is removed, addresses stay in use as long as the gateway is there.
      DependsOn: ['PublicDefaultRoute', 'PublicSubnetRoutes'],
      Properties: {
        AllocationId: att('NatAddress', 'AllocationId'),
        SubnetId: ref('PublicSubnet'),
        Tags: named(prefix),
      },
    },
    PrivateDefaultRoute: {
      Type: 'AWS::EC2::Route',
      Properties: {
        RouteTableId: ref('PrivateRoutes'),
        DestinationCidrBlock: '0.0.0.0/0',
        NatGatewayId: ref('Nat'),
      },
    },
  };
}

function interfaceEndpoints(prefix: string, zones: readonly Zone[]): Resources {
  const endpoints = endpointApis().interfaces.map((api) => [
    `${endpointName(api)}Endpoint`,
    {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: ref('Vpc'),
        VpcEndpointType: 'Interface',
        ServiceName: sub(`com.amazonaws.\${AWS::Region}.${api}`),
        PrivateDnsEnabled: true,
        SubnetIds: zones.map((zone) => ref(`PrivateSubnet${zone}`)),
        SecurityGroupIds: [att('EndpointSecurityGroup', 'GroupId')],
      },
    },
  ]);
  return {
    EndpointSecurityGroup: securityGroup(prefix, 'Endpoints of AWS APIs', [NOTHING]),
    EndpointsFromConnect: allowedFrom('ConnectSecurityGroup', 'EndpointSecurityGroup', HTTPS_PORT),
    EndpointsFromFunctions: allowedFrom('FunctionSecurityGroup', 'EndpointSecurityGroup', HTTPS_PORT),
    EndpointsFromPipes: allowedFrom('KafkaSecurityGroup', 'EndpointSecurityGroup', HTTPS_PORT),
    ...Object.fromEntries(endpoints),
  };
}

/** `ecr.dkr` -> `EcrDkr`. */
function endpointName(api: string): string {
  return api
    .split(/[.-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** Free, and with a NAT they take S3's traffic off its bill. */
function gatewayEndpoints(egress: Egress): Resources {
  const endpoints = endpointApis().gateways.map((api) => [
    `${endpointName(api)}Endpoint`,
    {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: ref('Vpc'),
        VpcEndpointType: 'Gateway',
        ServiceName: sub(`com.amazonaws.\${AWS::Region}.${api}`),
        RouteTableIds: [ref('PrivateRoutes')],
        ...(api === 's3' && egress.kind === 'endpoints' ? { PolicyDocument: ownAccountAndImages() } : {}),
      },
    },
  ]);
  return Object.fromEntries(endpoints);
}

/**
 * With the endpoint as the only way out, nothing can be carried to a bucket by another account's credentials. ECR reads
 * image layers with its own (https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html). With a NAT there
 * is no policy: quay.io keeps its layers in S3 too, and in us-east-1 they come through this endpoint.
 */
function ownAccountAndImages(): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:PrincipalAccount': ref('AWS::AccountId') } },
      },
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: sub(`arn:\${AWS::Partition}:s3:::prod-\${AWS::Region}-starport-layer-bucket/*`),
      },
    ],
  };
}

/** Both networks belong to this account and region, so that the peering needs nobody's consent. */
function peering(prefix: string, { vpc: peer, cidr, routeTables }: Peer): Resources {
  const back = routeTables.map((table, index) => [
    `SourceReturnRoute${index + 1}`,
    {
      Type: 'AWS::EC2::Route',
      Properties: {
        RouteTableId: table,
        DestinationCidrBlock: att('Vpc', 'CidrBlock'),
        VpcPeeringConnectionId: ref('SourcePeering'),
      },
    },
  ]);
  return {
    SourcePeering: {
      Type: 'AWS::EC2::VPCPeeringConnection',
      Properties: { VpcId: ref('Vpc'), PeerVpcId: peer, Tags: named(`${prefix}-source`) },
    },
    SourceRoute: {
      Type: 'AWS::EC2::Route',
      Properties: {
        RouteTableId: ref('PrivateRoutes'),
        DestinationCidrBlock: cidr,
        VpcPeeringConnectionId: ref('SourcePeering'),
      },
    },
    ...Object.fromEntries(back),
  };
}

/** A rule can name a group of another network only while that network is peered. */
function afterPeering({ group, peer }: Source, groups: Resources): Resources {
  if (peer === null) return groups;
  const theirs = JSON.stringify(group);
  return Object.fromEntries(
    Object.entries(groups).map(([id, resource]) => [
      id,
      JSON.stringify(resource).includes(theirs) ? { ...resource, DependsOn: 'SourcePeering' } : resource,
    ]),
  );
}

/**
 * Who may talk to whom. A pipe's pollers take over the brokers' own group, for a pipe on MSK has no network settings of
 * its own (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-msk.html): so the group admits itself, and
 * may reach AWS.
 */
function securityGroups(prefix: string, egress: Egress, source: Source): Resources {
  const own = source.peer === null;
  const toAws = awsEgress(egress);
  const toSource = outTo(source.group, source.port, 'The source');
  const kafka = att('KafkaSecurityGroup', 'GroupId');
  return {
    KafkaSecurityGroup: securityGroup(prefix, 'Brokers, and the pollers of pipes', toAws),
    PipesToKafka: {
      Type: 'AWS::EC2::SecurityGroupEgress',
      Properties: { GroupId: kafka, ...outTo(kafka, IAM_PORT, 'Pipes to the brokers') },
    },
    ConnectSecurityGroup: securityGroup(prefix, 'Kafka Connect with Debezium', [
      outTo(kafka, SCRAM_PORT, 'The brokers'),
      toSource,
      ...toAws,
    ]),
    FunctionSecurityGroup: securityGroup(prefix, 'Functions that need Kafka, Connect or the source', [
      outTo(kafka, SCRAM_PORT, 'The brokers'),
      outTo(att('ConnectSecurityGroup', 'GroupId'), CONNECT_PORT, 'Kafka Connect'),
      toSource,
      ...toAws,
    ]),
    ...(own ? { DatabaseSecurityGroup: securityGroup(prefix, 'The source database', [NOTHING]) } : {}),
    KafkaFromPipes: allowedFrom('KafkaSecurityGroup', 'KafkaSecurityGroup', IAM_PORT),
    KafkaFromConnect: allowedFrom('ConnectSecurityGroup', 'KafkaSecurityGroup', SCRAM_PORT),
    KafkaFromFunctions: allowedFrom('FunctionSecurityGroup', 'KafkaSecurityGroup', SCRAM_PORT),
    ConnectFromFunctions: allowedFrom('FunctionSecurityGroup', 'ConnectSecurityGroup', CONNECT_PORT),
    SourceFromConnect: ingress('ConnectSecurityGroup', source.group, source.port),
    SourceFromFunctions: ingress('FunctionSecurityGroup', source.group, source.port),
  };
}

/**
 * To AWS's APIs. Through a NAT their addresses are the internet's, so that only the port can be limited; without one they
 * are the endpoints' group and the addresses of S3.
 */
function awsEgress(egress: Egress): object[] {
  const https = { IpProtocol: 'tcp', FromPort: HTTPS_PORT, ToPort: HTTPS_PORT };
  if (egress.kind === 'nat') {
    return [{ ...https, CidrIp: '0.0.0.0/0', Description: 'AWS APIs and the image, through the NAT' }];
  }
  return [
    outTo(att('EndpointSecurityGroup', 'GroupId'), HTTPS_PORT, 'AWS APIs, through endpoints'),
    { ...https, DestinationPrefixListId: egress.s3PrefixList, Description: 'S3, through its endpoint' },
  ];
}

function securityGroup(prefix: string, description: string, egress: object[]): Resource {
  return {
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: `${prefix} - ${description}`,
      VpcId: ref('Vpc'),
      SecurityGroupEgress: egress,
      Tags: named(prefix),
    },
  };
}

function outTo(group: unknown, port: number, description: string): object {
  return {
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: port,
    DestinationSecurityGroupId: group,
    Description: description,
  };
}

/** `to` admits the members of `from`, both of this stack. */
function allowedFrom(from: string, to: string, port: number): Resource {
  return ingress(from, att(to, 'GroupId'), port);
}

function ingress(from: string, to: unknown, port: number): Resource {
  return {
    Type: 'AWS::EC2::SecurityGroupIngress',
    Properties: {
      GroupId: to,
      SourceSecurityGroupId: att(from, 'GroupId'),
      IpProtocol: 'tcp',
      FromPort: port,
      ToPort: port,
      Description: `From ${from}`,
    },
  };
}

/** Names inside the network: Kafka Connect answers at connect.<prefix>.internal. */
function discovery(prefix: string): Resources {
  return {
    DiscoveryNamespace: {
      Type: 'AWS::ServiceDiscovery::PrivateDnsNamespace',
      Properties: {
        Name: `${prefix}.internal`,
        Vpc: ref('Vpc'),
        Description: `${prefix}, inside its network`,
      },
    },
  };
}

/** Connections that were refused: the first thing to look at when something can't reach something. */
function flowLog(prefix: string): Resources {
  return {
    FlowLogGroup: {
      Type: 'AWS::Logs::LogGroup',
      Properties: {
        LogGroupName: `/${prefix}/network`,
        RetentionInDays: `\${param:logDays}`,
        KmsKeyId: att('DataKey'),
      },
    },
    FlowLogRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        Description: 'Writes refused connections to their log',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
              Action: 'sts:AssumeRole',
              Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
            },
          ],
        },
        Policies: [
          {
            PolicyName: 'log',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Effect: 'Allow',
                  Action: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
                  Resource: att('FlowLogGroup'),
                },
              ],
            },
          },
        ],
      },
    },
    FlowLog: {
      Type: 'AWS::EC2::FlowLog',
      Properties: {
        ResourceType: 'VPC',
        ResourceId: ref('Vpc'),
        TrafficType: 'REJECT',
        LogDestinationType: 'cloud-watch-logs',
        LogGroupName: ref('FlowLogGroup'),
        DeliverLogsPermissionArn: att('FlowLogRole'),
        Tags: named(prefix),
      },
    },
  };
}

/**
 * Waits for nothing itself: whatever calls a function in the network while the stack is made, changed or removed depends on
 * it, and so on every route, rule and endpoint. Without it a removal could take a route away below the function that still
 * has to drop the replication slot.
 */
function networkReady(resources: Resources): Resource {
  const paths = new Set([
    'AWS::EC2::Route',
    'AWS::EC2::SubnetRouteTableAssociation',
    'AWS::EC2::SecurityGroupIngress',
    'AWS::EC2::SecurityGroupEgress',
    'AWS::EC2::VPCEndpoint',
  ]);
  return {
    Type: 'AWS::CloudFormation::WaitConditionHandle',
    DependsOn: Object.entries(resources)
      .filter(([, { Type }]) => paths.has(Type))
      .map(([id]) => id),
    Properties: {},
  };
}

function routeTable(name: string): Resource {
  return { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: ref('Vpc'), Tags: named(name) } };
}

function routesOf(subnetId: string, table: string): Resource {
  return {
    Type: 'AWS::EC2::SubnetRouteTableAssociation',
    Properties: { SubnetId: ref(subnetId), RouteTableId: ref(table) },
  };
}

function named(name: string): object[] {
  return [{ Key: 'Name', Value: name }];
}
