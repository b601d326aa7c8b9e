import { ofType, type Problem, type Properties, type Rule, rule, valuesIn } from '../template.ts';

const ANYWHERE = new Set(['0.0.0.0/0', '::/0']);

/** Security groups refer to each other; nothing is open to addresses. */
export const ingress: Rule = rule('ingress', (template) => {
  const rules = [
    ...ofType(template, 'AWS::EC2::SecurityGroup').flatMap(([id, { SecurityGroupIngress = [] }]) =>
      (SecurityGroupIngress as Properties[]).map((entry) => ({ id, entry })),
    ),
    ...ofType(template, 'AWS::EC2::SecurityGroupIngress').map(([id, entry]) => ({ id, entry })),
  ];
  return rules.flatMap(({ id, entry }): Problem[] => {
    const address = entry['CidrIp'] ?? entry['CidrIpv6'];
    const found: Problem[] = [];
    if (address !== undefined) {
      found.push({
        where: id,
        what: `lets in ${ANYWHERE.has(address) ? 'everybody' : 'addresses'} (${JSON.stringify(address)})`,
        remedy: 'name the security group that may come in',
      });
    }
    if (String(entry['IpProtocol']) === '-1' || entry['FromPort'] === undefined) {
      found.push({ where: id, what: 'lets in every port', remedy: 'name the port' });
    }
    return found;
  });
});

/** Only the NAT stands in a public subnet. */
export const publicSubnets: Rule = rule('public-subnet', (template) => {
  const routed = publicSubnetsOf(template);
  const allowed = ['AWS::EC2::NatGateway', 'AWS::EC2::SubnetRouteTableAssociation'];
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties }]): Problem[] => {
    if (allowed.includes(Type)) return [];
    const named = [...valuesIn(Properties)].find(
      ({ path, value }) => path.at(-1) === 'Ref' && routed.includes(String(value)),
    );
    return named
      ? [{ where: id, what: `stands in ${named.value}`, remedy: 'put it into a private subnet' }]
      : [];
  });
});

function publicSubnetsOf(template: Parameters<Rule['check']>[0]): string[] {
  const gateways = new Set(ofType(template, 'AWS::EC2::InternetGateway').map(([id]) => id));
  const tables = new Set(
    ofType(template, 'AWS::EC2::Route')
      .filter(([, route]) => gateways.has(route['GatewayId']?.Ref))
      .map(([, route]) => String(route['RouteTableId']?.Ref)),
  );
  return ofType(template, 'AWS::EC2::SubnetRouteTableAssociation')
    .filter(([, association]) => tables.has(association['RouteTableId']?.Ref))
    .map(([, association]) => String(association['SubnetId']?.Ref));
}

/** No way in from the internet, whatever the security groups say. */
export const publicAddresses: Rule = rule('public-address', (template) => {
  const found: Problem[] = [];
  for (const [id, database] of ofType(template, 'AWS::RDS::DBInstance')) {
    if (database['PubliclyAccessible'] !== false) {
      found.push({ where: id, what: 'may get a public address', remedy: 'set PubliclyAccessible to false' });
    }
  }
  for (const [id, cluster] of ofType(template, 'AWS::MSK::Cluster')) {
    const access = cluster['BrokerNodeGroupInfo']?.ConnectivityInfo?.PublicAccess?.Type ?? 'DISABLED';
    if (access !== 'DISABLED')
      found.push({ where: id, what: 'public brokers', remedy: 'disable PublicAccess' });
  }
  for (const [id, service] of ofType(template, 'AWS::ECS::Service')) {
    const assigned = service['NetworkConfiguration']?.AwsvpcConfiguration?.AssignPublicIp ?? 'DISABLED';
    if (assigned !== 'DISABLED')
      found.push({ where: id, what: 'a public address', remedy: 'disable AssignPublicIp' });
  }
  for (const [id, subnet] of ofType(template, 'AWS::EC2::Subnet')) {
    if (subnet['MapPublicIpOnLaunch'] === true) {
      found.push({ where: id, what: 'gives out public addresses', remedy: 'turn MapPublicIpOnLaunch off' });
    }
  }
  return found;
});

export const networkRules: Rule[] = [ingress, publicSubnets, publicAddresses];
