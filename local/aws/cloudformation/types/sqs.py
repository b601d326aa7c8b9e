"""Amazon SQS: queues and queue policies."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType


def _attributes(properties: Properties) -> Properties:
    return {name: item for name, item in properties.items() if name not in ("QueueName", "Tags")}


def _create(context: Context, properties: Properties) -> Made:
    name = properties.get("QueueName") or context.unique_name()
    taken = {"QueueName": name, "Attributes": _attributes(properties), "tags": properties.get("Tags", [])}
    url = context.call("sqs", "create_queue", taken)["QueueUrl"]
    return Made(url, {"Arn": context.arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    taken = {"QueueUrl": live.physical_id, "Attributes": _attributes(properties)}
    context.call("sqs", "set_queue_attributes", taken)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    context.call("sqs", "delete_queue", {"QueueUrl": live.physical_id})


def _put_policy(context: Context, properties: Properties) -> Made:
    for url in properties["Queues"]:
        taken = {"QueueUrl": url, "Attributes": {"Policy": properties["PolicyDocument"]}}
        context.call("sqs", "set_queue_attributes", taken)
    return Made(context.unique_name())


def _update_policy(context: Context, live: Live, properties: Properties) -> Made:
    _put_policy(context, properties)
    return Made(live.physical_id)


def _delete_policy(context: Context, live: Live) -> None:
    for url in live.properties["Queues"]:
        context.call("sqs", "set_queue_attributes", {"QueueUrl": url, "Attributes": {"Policy": ""}})


TYPES = {
    "AWS::SQS::Queue": ResourceType(_create, _delete, _update, frozenset(["QueueName", "FifoQueue"])),
    "AWS::SQS::QueuePolicy": ResourceType(_put_policy, _delete_policy, _update_policy),
}
