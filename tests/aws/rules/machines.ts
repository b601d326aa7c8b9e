import { substitutionsIn } from '../../../local/aws/state-machine.ts';
import { problemsOf } from '../../statemachines/asl-rules.ts';
import { type Rule, ruleFor } from '../template.ts';

const MACHINE = 'AWS::StepFunctions::StateMachine';

/** Amazon States Language in the template, by asl-validator and the rules that statemachines/ is tested with. */
export const definitions: Rule = ruleFor('state-machine', MACHINE, ({ Definition: definition }) =>
  definition === undefined
    ? [
        {
          what: 'no Definition',
          remedy: 'give it as an object: cfn-lint and these rules look at nothing else',
        },
      ]
    : problemsOf(definition).map((what) => ({ what, remedy: 'change the definition in statemachines/' })),
);

/** Step Functions takes a definition with a `${Name}` that nobody gave, and fails in the state that holds it. */
export const substitutions: Rule = ruleFor('substitutions', MACHINE, (machine) => {
  const used = substitutionsIn(JSON.stringify(machine['Definition'] ?? {}));
  const given = Object.keys(machine['DefinitionSubstitutions'] ?? {});
  return [
    ...used
      .filter((name) => !given.includes(name))
      .map((name) => ({ what: `nobody gives ${name}`, remedy: 'add it to DefinitionSubstitutions' })),
    ...given
      .filter((name) => !used.includes(name))
      .map((name) => ({ what: `nobody uses ${name}`, remedy: 'take it from DefinitionSubstitutions' })),
  ];
});

/** A run that somebody must explain needs its history, its trace and its log. */
export const observed: Rule = ruleFor('state-machine-log', MACHINE, (machine) => {
  const logged =
    machine['LoggingConfiguration']?.Level === 'ALL' && machine['LoggingConfiguration'].Destinations;
  const found = [];
  if (!logged) found.push({ what: 'does not log everything', remedy: 'set LoggingConfiguration, Level ALL' });
  if (machine['TracingConfiguration']?.Enabled !== true) {
    found.push({ what: 'is not traced', remedy: 'enable TracingConfiguration' });
  }
  return found;
});

export const machineRules: Rule[] = [definitions, substitutions, observed];
