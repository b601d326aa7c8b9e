"""Amazon SNS: topics, subscriptions, topic policies."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType

_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "TracingConfig", "SignatureVersion")
_SUBSCRIPTION_ATTRIBUTES = ("FilterPolicy", "RawMessageDelivery", "RedrivePolicy", "FilterPolicyScope")


def _set_topic(context: Context, arn: str, properties: Properties) -> None:
    for name in _ATTRIBUTES:
        if name in properties:
            taken = {"TopicArn": arn, "AttributeName": name, "AttributeValue": properties[name]}
            context.call("sns", "set_topic_attributes", taken)


def _create_topic(context: Context, properties: Properties) -> Made:
    name = properties.get("TopicName") or context.unique_name()
    arn = context.call("sns", "create_topic", {"Name": name, "Tags": properties.get("Tags", [])})["TopicArn"]
    _set_topic(context, arn, properties)
    for wanted in properties.get("Subscription", []):
        context.call("sns", "subscribe", {**wanted, "TopicArn": arn})
    return Made(arn, {"TopicName": name, "TopicArn": arn})


def _update_topic(context: Context, live: Live, properties: Properties) -> Made:
    _set_topic(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete_topic(context: Context, live: Live) -> None:
    context.call("sns", "delete_topic", {"TopicArn": live.physical_id})


def _create_subscription(context: Context, properties: Properties) -> Made:
    taken = {name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    attributes = {name: properties[name] for name in _SUBSCRIPTION_ATTRIBUTES if name in properties}
    answer = context.call("sns", "subscribe", {**taken, "Attributes": attributes, "ReturnSubscriptionArn": True})
    return Made(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})


def _delete_subscription(context: Context, live: Live) -> None:
    context.call("sns", "unsubscribe", {"SubscriptionArn": live.physical_id})


def _put_policy(context: Context, properties: Properties) -> Made:
    for topic in properties["Topics"]:
        taken = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": properties["PolicyDocument"]}
        context.call("sns", "set_topic_attributes", taken)
    return Made(context.unique_name())


def _update_policy(context: Context, live: Live, properties: Properties) -> Made:
    _put_policy(context, properties)
    return Made(live.physical_id)


def _delete_policy(context: Context, live: Live) -> None:
    """The topic, which goes after it, takes the policy along: SNS has no call that takes a policy off."""


TYPES = {
    "AWS::SNS::Topic": ResourceType(_create_topic, _delete_topic, _update_topic, frozenset(["TopicName"])),
    "AWS::SNS::Subscription": ResourceType(_create_subscription, _delete_subscription),
    "AWS::SNS::TopicPolicy": ResourceType(_put_policy, _delete_policy, _update_policy),
}
