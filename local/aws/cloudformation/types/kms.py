"""AWS KMS: keys and aliases."""

from ..api import Properties
from ..declared import by_name, declared, from_property
from ..resource import Context, Live, Made, ResourceType

_CREATED = {"Description": "Description", "KeyPolicy": "Policy", "KeySpec": "KeySpec", "KeyUsage": "KeyUsage"}


def _create(context: Context, properties: Properties) -> Made:
    taken = {parameter: properties[name] for name, parameter in _CREATED.items() if name in properties}
    key = context.call("kms", "create_key", {**taken, "Tags": _tags(properties)})["KeyMetadata"]
    _set_rotation(context, key["KeyId"], properties)
    return Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})


def _tags(properties: Properties) -> list[Properties]:
    return [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]


def _set_rotation(context: Context, key_id: str, properties: Properties) -> None:
    rotates = properties.get("EnableKeyRotation", False)
    context.call("kms", "enable_key_rotation" if rotates else "disable_key_rotation", {"KeyId": key_id})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    policy = {"KeyId": live.physical_id, "PolicyName": "default", "Policy": properties["KeyPolicy"]}
    context.call("kms", "put_key_policy", policy)
    described = {"KeyId": live.physical_id, "Description": properties.get("Description", "")}
    context.call("kms", "update_key_description", described)
    _set_rotation(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    days = live.properties.get("PendingWindowInDays", 30)
    context.call("kms", "schedule_key_deletion", {"KeyId": live.physical_id, "PendingWindowInDays": days})


TYPES = {
    "AWS::KMS::Key": ResourceType(_create, _delete, _update, frozenset(["KeySpec", "KeyUsage"])),
    "AWS::KMS::Alias": declared(
        "kms",
        create="create_alias",
        delete="delete_alias",
        update="update_alias",
        named=by_name("AliasName"),
        physical_id=from_property("AliasName"),
        replaced_by=["AliasName"],
    ),
}
