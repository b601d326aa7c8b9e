import type { StageContext, TemplatePart } from './generated.ts';
import { ref } from './intrinsics.ts';
import { chosen, PackagingError } from './packaging-error.ts';

/** What a budget looks at: every cost of the account, or those that carry this deployment's tags. */
const SCOPES = ['account', 'deployment'] as const;

/** Shares of the monthly budget, in percent, at which people are told: what was spent, what the month will come to. */
const NOTIFICATIONS = [
  { NotificationType: 'ACTUAL', Threshold: 80 },
  { NotificationType: 'ACTUAL', Threshold: 100 },
  { NotificationType: 'FORECASTED', Threshold: 100 },
];

/**
 * The monthly budget, when the parameter `monthlyBudget` (USD) is more than 0. It tells and stops nothing.
 * @throws PackagingError when a parameter is no amount or no scope
 */
export async function budget(context: StageContext): Promise<TemplatePart> {
  const amount = await usd(context);
  const scope = await chosen(context, 'budgetScope', SCOPES);
  if (amount === 0) return {};
  return {
    Resources: {
      MonthlyBudget: {
        Type: 'AWS::Budgets::Budget',
        DependsOn: 'AlertTopicPolicy',
        Properties: {
          Budget: {
            BudgetName: `${context.prefix}-monthly`,
            BudgetType: 'COST',
            TimeUnit: 'MONTHLY',
            BudgetLimit: { Amount: amount, Unit: 'USD' },
            ...(scope === 'deployment' && { CostFilters: { TagKeyValue: [ownTag(context)] } }),
          },
          NotificationsWithSubscribers: NOTIFICATIONS.map((notification) => ({
            Notification: {
              ...notification,
              ComparisonOperator: 'GREATER_THAN',
              ThresholdType: 'PERCENTAGE',
            },
            Subscribers: [{ SubscriptionType: 'SNS', Address: ref('AlertTopic') }],
          })),
        },
      },
    },
  };
}

async function usd(context: StageContext): Promise<number> {
  const value = await context.param('monthlyBudget');
  if (value !== '' && Number(value) >= 0) return Number(value);
  throw new PackagingError(
    `The parameter monthlyBudget of stage ${context.stage} is "${value}"; it must be an amount in USD, 0 for no budget.`,
  );
}

/**
 * The tag that CloudFormation gives whatever it makes, in Budgets' notation `<key>$<value>`. It counts from the day on
 * which it is activated as a cost allocation tag (docs/runbook/cost-budget.md).
 */
function ownTag({ prefix }: StageContext): string {
  return `aws:cloudformation:stack-name$${prefix}`;
}
