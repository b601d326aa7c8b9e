"""Application Auto Scaling: targets and policies."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType

_SERVICE = "application-autoscaling"
_NAMES = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def _register(context: Context, properties: Properties) -> Made:
    taken = {name: item for name, item in properties.items() if name != "ScheduledActions"}
    context.call(_SERVICE, "register_scalable_target", taken)
    return Made("|".join(properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")))


def _register_again(context: Context, live: Live, properties: Properties) -> Made:
    return _register(context, properties)


def _deregister(context: Context, live: Live) -> None:
    context.call(_SERVICE, "deregister_scalable_target", {name: live.properties[name] for name in _NAMES})


def _target_of(properties: Properties) -> Properties:
    """A policy names its target by parts, or by the target's id, which has them all."""
    if "ScalingTargetId" not in properties:
        return {name: properties[name] for name in _NAMES}
    resource, dimension, namespace = properties["ScalingTargetId"].split("|")
    return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}


_CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"


def _put_policy(context: Context, properties: Properties) -> Made:
    named = {name: properties[name] for name in ("PolicyName", "PolicyType", _CONFIGURATION) if name in properties}
    answer = context.call(_SERVICE, "put_scaling_policy", {**_target_of(properties), **named})
    return Made(answer["PolicyARN"], {"Arn": answer["PolicyARN"]})


def _update_policy(context: Context, live: Live, properties: Properties) -> Made:
    return _put_policy(context, properties)


def _delete_policy(context: Context, live: Live) -> None:
    named = {**_target_of(live.properties), "PolicyName": live.properties["PolicyName"]}
    context.call(_SERVICE, "delete_scaling_policy", named)


TYPES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ResourceType(
        _register, _deregister, _register_again, frozenset(_NAMES)
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ResourceType(
        _put_policy, _delete_policy, _update_policy, frozenset(["PolicyName", "ScalingTargetId"])
    ),
}
