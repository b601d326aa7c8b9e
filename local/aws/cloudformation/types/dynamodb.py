"""Amazon DynamoDB: tables."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType

_CREATED = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "StreamSpecification",
    "SSESpecification",
    "Tags",
    "TableClass",
    "DeletionProtectionEnabled",
)


def _create(context: Context, properties: Properties) -> Made:
    name = properties.get("TableName") or context.unique_name(255)
    taken = {key: properties[key] for key in _CREATED if key in properties}
    taken["SSESpecification"] = _encryption(properties)
    context.call("dynamodb", "create_table", {**taken, "TableName": name})
    _set(context, name, properties)
    return Made(name, {"Arn": context.arn("dynamodb", f"table/{name}")})


def _encryption(properties: Properties) -> Properties:
    """`SSEEnabled` is the API's `Enabled`."""
    given = properties.get("SSESpecification", {})
    return {("Enabled" if name == "SSEEnabled" else name): item for name, item in given.items()}


def _set(context: Context, name: str, properties: Properties) -> None:
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery is not None:
        taken = {"TableName": name, "PointInTimeRecoverySpecification": recovery}
        context.call("dynamodb", "update_continuous_backups", taken)
    expiry = properties.get("TimeToLiveSpecification")
    if expiry is not None:
        context.call("dynamodb", "update_time_to_live", {"TableName": name, "TimeToLiveSpecification": expiry})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    taken = {key: properties[key] for key in ("BillingMode", "DeletionProtectionEnabled") if key in properties}
    if taken:
        context.call("dynamodb", "update_table", {**taken, "TableName": live.physical_id})
    _set(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    context.call("dynamodb", "delete_table", {"TableName": live.physical_id})


TYPES = {
    "AWS::DynamoDB::Table": ResourceType(_create, _delete, _update, frozenset(["TableName", "KeySchema"])),
}
