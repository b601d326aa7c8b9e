"""Amazon CloudWatch Logs: groups, metric filters, resource policies."""

from ..api import Properties, PropertyError
from ..declared import by_name, declared, from_property
from ..resource import Context, Live, Made, ResourceType


def _create(context: Context, properties: Properties) -> Made:
    name = properties.get("LogGroupName") or context.unique_name()
    taken = {key: properties[key] for key in ("KmsKeyId", "LogGroupClass") if key in properties}
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    context.call("logs", "create_log_group", {**taken, "logGroupName": name, **({"tags": tags} if tags else {})})
    _keep(context, name, properties)
    return Made(name, {"Arn": context.arn("logs", f"log-group:{name}:*")})


def _keep(context: Context, name: str, properties: Properties) -> None:
    days = properties.get("RetentionInDays")
    if days is None:
        context.call("logs", "delete_retention_policy", {"logGroupName": name})
    else:
        context.call("logs", "put_retention_policy", {"logGroupName": name, "retentionInDays": days})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    if properties.get("KmsKeyId") != live.properties.get("KmsKeyId"):
        # moto has no AssociateKmsKey.
        raise PropertyError("KmsKeyId of a log group can't be changed here: remove the stack and deploy it anew")
    _keep(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    context.call("logs", "delete_log_group", {"logGroupName": live.physical_id})


def _put_filter(context: Context, properties: Properties) -> Made:
    name = properties.get("FilterName") or context.unique_name()
    context.call("logs", "put_metric_filter", {**properties, "FilterName": name})
    return Made(name)


def _update_filter(context: Context, live: Live, properties: Properties) -> Made:
    return _put_filter(context, {**properties, "FilterName": live.physical_id})


def _delete_filter(context: Context, live: Live) -> None:
    named = {"logGroupName": live.properties["LogGroupName"], "filterName": live.physical_id}
    context.call("logs", "delete_metric_filter", named)


TYPES = {
    "AWS::Logs::LogGroup": ResourceType(_create, _delete, _update, frozenset(["LogGroupName"])),
    "AWS::Logs::LogStream": declared(
        "logs",
        create="create_log_stream",
        delete="delete_log_stream",
        named=lambda live: {
            "logGroupName": live.properties["LogGroupName"],
            "logStreamName": live.physical_id,
        },
        physical_id=from_property("LogStreamName"),
        default_name="LogStreamName",
    ),
    "AWS::Logs::MetricFilter": ResourceType(
        _put_filter, _delete_filter, _update_filter, frozenset(["FilterName", "LogGroupName"])
    ),
    "AWS::Logs::ResourcePolicy": declared(
        "logs",
        create="put_resource_policy",
        update="put_resource_policy",
        delete="delete_resource_policy",
        named=by_name("PolicyName"),
        physical_id=from_property("PolicyName"),
        replaced_by=["PolicyName"],
    ),
}
