"""AWS Budgets."""

from ..api import Properties
from ..resource import ACCOUNT, Context, Live, Made, ResourceType


def _create(context: Context, properties: Properties) -> Made:
    budget = {**properties["Budget"]}
    budget.setdefault("BudgetName", context.unique_name())
    taken = {
        "AccountId": ACCOUNT,
        "Budget": budget,
        "NotificationsWithSubscribers": properties.get("NotificationsWithSubscribers", []),
    }
    context.call("budgets", "create_budget", taken)
    return Made(budget["BudgetName"])


def _delete(context: Context, live: Live) -> None:
    context.call("budgets", "delete_budget", {"AccountId": ACCOUNT, "BudgetName": live.physical_id})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    """moto knows no UpdateBudget: made anew under its name."""
    _delete(context, live)
    return _create(context, {**properties, "Budget": {**properties["Budget"], "BudgetName": live.physical_id}})


TYPES = {"AWS::Budgets::Budget": ResourceType(_create, _delete, _update)}
