import { describe, expect, it } from '@jest/globals';
import { alertEmail } from '../../../resources/alerts.ts';
import { budget } from '../../../resources/budget.ts';
import { resourceOf, stageContext } from './stage-context.ts';

describe('alerts by e-mail', () => {
  it('are subscribed to when an address is given', async () => {
    const part = await alertEmail(stageContext('dev', { alertEmail: 'ops@example.com' }));
    expect(resourceOf(part, 'AlertEmail').Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });

  it('are not without an address', async () => {
    expect(await alertEmail(stageContext('dev', { alertEmail: '' }))).toEqual({});
  });

  it('refuse what is no address', async () => {
    await expect(alertEmail(stageContext('dev', { alertEmail: 'ops' }))).rejects.toThrow(
      'is no e-mail address',
    );
  });
});

describe('the budget', () => {
  it('tells of what was spent and of what the month will come to', async () => {
    const part = await budget(stageContext('dev', { monthlyBudget: '120' }));
    expect(resourceOf(part, 'MonthlyBudget').Properties).toMatchObject({
      Budget: { BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 120, Unit: 'USD' } },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: 'ACTUAL', Threshold: 80 } },
        { Notification: { NotificationType: 'ACTUAL', Threshold: 100 } },
        { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } },
      ],
    });
  });

  it('counts the account’s cost, or what carries the stack’s tag', async () => {
    const scoped = (budgetScope: string) => budget(stageContext('dev', { monthlyBudget: '1', budgetScope }));
    expect(JSON.stringify(await scoped('account'))).not.toContain('CostFilters');
    expect(JSON.stringify(await scoped('deployment'))).toContain(
      'aws:cloudformation:stack-name$cdc-demo-dev',
    );
    await expect(scoped('team')).rejects.toThrow('it must be account or deployment');
  });

  it('is left out at 0, and refuses what is no amount', async () => {
    expect(await budget(stageContext('dev', { monthlyBudget: '0' }))).toEqual({});
    await expect(budget(stageContext('dev', { monthlyBudget: 'much' }))).rejects.toThrow('an amount in USD');
  });
});
