/** CloudFormation's functions, as a template in JSON writes them. */

export function ref(logicalId: string): object {
  return { Ref: logicalId };
}

/** @param attribute the ARN when left out */
export function att(logicalId: string, attribute = 'Arn'): object {
  return { 'Fn::GetAtt': [logicalId, attribute] };
}

/** @param text with CloudFormation's placeholders, e.g. `com.amazonaws.${AWS::Region}.s3` */
export function sub(text: string): object {
  return { 'Fn::Sub': text };
}
