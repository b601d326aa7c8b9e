import { textOf } from '../physical.ts';
import { ofType, type Problem, type Rule, rule, type Template } from '../template.ts';
import { type CallsInCode, functionName } from './needs.ts';

/** Endpoints are not always called like the services in policies. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  cloudwatch: 'monitoring',
  firehose: 'kinesis-firehose',
};

/** Where no NAT leads out, every service that the code of a function in the VPC calls has an endpoint there. */
export function endpointRule(callsOf: (template: Template) => CallsInCode): Rule {
  return rule('vpc-endpoint', (template) => {
    if (ofType(template, 'AWS::EC2::NatGateway').length > 0) return [];
    const { functions: calls } = callsOf(template);
    const there = ofType(template, 'AWS::EC2::VPCEndpoint').map(([, { ServiceName }]) =>
      textOf(template, ServiceName).replace(/^com\.amazonaws\.[^.]+\./, ''),
    );
    return ofType(template, 'AWS::Lambda::Function')
      .filter(([, { VpcConfig }]) => VpcConfig !== undefined)
      .flatMap(([id, lambda]): Problem[] => {
        const services = new Set(
          (calls[functionName(lambda)] ?? []).map(({ operation }) => operation.split(':')[0] ?? ''),
        );
        return [...services]
          .map((service) => ENDPOINTS[service] ?? service)
          .filter((service) => !there.includes(service))
          .map((service) => ({
            where: id,
            what: `calls ${service}, which has no endpoint in the VPC`,
            remedy: 'name it for the function in resources/network-apis.ts',
          }));
      });
  });
}
