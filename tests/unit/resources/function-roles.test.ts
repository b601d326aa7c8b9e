import { describe, expect, it } from '@jest/globals';
import { functionAccess, functionRoles, oslsName, roleId } from '../../../resources/function-roles.ts';
import { configuration, resourceOf } from './stage-context.ts';

const PREFIX = 'cdc-demo-dev';
const functions = Object.entries(configuration().functions as Record<string, { role?: string }>);
const part = functionRoles({ prefix: PREFIX });

type Statement = { Effect: string; Action: string[]; Resource: unknown; Condition?: unknown };

function statements(name: string): Statement[] {
  const { Policies } = resourceOf(part, roleId(name)).Properties as {
    Policies: { PolicyDocument: { Statement: Statement[] } }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

describe('the roles of the functions', () => {
  it('are one for each function of serverless.yml, and used by it alone', () => {
    expect(Object.keys(functionAccess(PREFIX)).sort()).toEqual(functions.map(([name]) => name).sort());
    for (const [name, { role }] of functions) expect(role).toBe(`!GetAtt ${roleId(name)}.Arn`);
  });

  it.each(functions)('let %s write its own log and no other', (name) => {
    const logs = statements(name).filter(({ Action }) => Action.some((action) => action.startsWith('logs:')));
    expect(logs).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: {
          'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${PREFIX}-${name}:*`,
        },
      },
    ]);
  });

  it.each(functions)('let Lambda, not the code of %s, make network interfaces', (name) => {
    const { vpc } = functionAccess(PREFIX)[name] as { vpc: boolean };
    const network = statements(name).filter(({ Action }) =>
      Action.some((action) => action.startsWith('ec2:')),
    );
    expect(network.map(({ Effect, Condition }) => [Effect, Condition !== undefined])).toEqual(
      vpc
        ? [
            ['Allow', false],
            ['Deny', true],
          ]
        : [],
    );
  });

  it("let nobody but the source function read the owner's secret", () => {
    const readers = functions
      .map(([name]) => name)
      .filter((name) => JSON.stringify(statements(name)).includes('sourceSecretId'));
    expect(readers).toEqual(['source']);
  });

  it('are named as osls names the functions', () => {
    expect([roleId('run-lock'), oslsName('run-lock')]).toEqual(['RunLockRole', 'RunDashlock']);
    expect(Object.keys(part.extensions ?? {})).toEqual(
      expect.arrayContaining(['RunDashlockLambdaFunction', 'RunDashlockLogGroup']),
    );
  });
});
