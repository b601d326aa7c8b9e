"""AWS Systems Manager: parameters."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType


def _put(context: Context, name: str, properties: Properties) -> Made:
    taken = {key: item for key, item in properties.items() if key not in ("Name", "Tags")}
    context.call("ssm", "put_parameter", {**taken, "Name": name, "Overwrite": True})
    return Made(name, {"Type": properties["Type"], "Value": properties["Value"]})


def _create(context: Context, properties: Properties) -> Made:
    return _put(context, properties.get("Name") or context.unique_name(), properties)


def _update(context: Context, live: Live, properties: Properties) -> Made:
    return _put(context, live.physical_id, properties)


def _delete(context: Context, live: Live) -> None:
    context.call("ssm", "delete_parameter", {"Name": live.physical_id})


TYPES = {"AWS::SSM::Parameter": ResourceType(_create, _delete, _update, frozenset(["Name"]))}
