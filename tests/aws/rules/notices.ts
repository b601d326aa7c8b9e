import { textOf } from '../physical.ts';
import { ofType, type Problem, type Rule, rule, ruleFor } from '../template.ts';

/** https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html */
const PROTOCOLS = ['application', 'email', 'email-json', 'firehose', 'http', 'https', 'lambda', 'sms', 'sqs'];
/** https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html */
const TIME_UNITS = ['DAILY', 'MONTHLY', 'QUARTERLY', 'ANNUALLY', 'CUSTOM'];

/** Lower, and nobody reads on: an alarm's description is where the runbook begins. */
const SHORTEST_DESCRIPTION = 40;

export const subscriptions: Rule = ruleFor('sns-protocol', 'AWS::SNS::Subscription', ({ Protocol }) =>
  PROTOCOLS.includes(Protocol)
    ? []
    : [{ what: `SNS has no protocol ${Protocol}`, remedy: `take one of ${PROTOCOLS.join(', ')}` }],
);

export const budgets: Rule = ruleFor('budget', 'AWS::Budgets::Budget', ({ Budget }) =>
  TIME_UNITS.includes(Budget?.TimeUnit)
    ? []
    : [
        {
          what: `a budget has no TimeUnit ${Budget?.TimeUnit}`,
          remedy: `take one of ${TIME_UNITS.join(', ')}`,
        },
      ],
);

/** An alarm tells somebody, when it starts and when it is over, and says what to do. */
export const alarms: Rule = rule('alarm', (template) =>
  ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([id, alarm]): Problem[] => {
    const found: Omit<Problem, 'where'>[] = [];
    for (const actions of ['AlarmActions', 'OKActions']) {
      if (!(alarm[actions]?.length > 0))
        found.push({ what: `no ${actions}`, remedy: 'name the alert topic' });
    }
    if (textOf(template, alarm['AlarmDescription'] ?? '').length < SHORTEST_DESCRIPTION) {
      found.push({ what: 'does not say what to do', remedy: 'write it into AlarmDescription' });
    }
    if (alarm['TreatMissingData'] === undefined) {
      found.push({ what: 'leaves open what no data means', remedy: 'set TreatMissingData' });
    }
    return found.map((problem) => ({ where: id, ...problem }));
  }),
);

export const noticeRules: Rule[] = [subscriptions, budgets, alarms];
