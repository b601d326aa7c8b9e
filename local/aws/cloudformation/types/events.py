"""Amazon EventBridge: rules."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType


def _put(context: Context, name: str, properties: Properties) -> Made:
    taken = {key: item for key, item in properties.items() if key not in ("Name", "Targets")}
    arn = context.call("events", "put_rule", {**taken, "Name": name})["RuleArn"]
    if properties.get("Targets"):
        context.call("events", "put_targets", {"Rule": name, "Targets": properties["Targets"]})
    return Made(name, {"Arn": arn})


def _create(context: Context, properties: Properties) -> Made:
    return _put(context, properties.get("Name") or context.unique_name(), properties)


def _update(context: Context, live: Live, properties: Properties) -> Made:
    kept = [target["Id"] for target in properties.get("Targets", [])]
    _drop_targets(context, live, [target["Id"] for target in live.properties.get("Targets", [])], kept)
    return _put(context, live.physical_id, properties)


def _drop_targets(context: Context, live: Live, ids: list[str], kept: list[str]) -> None:
    gone = [name for name in ids if name not in kept]
    if gone:
        context.call("events", "remove_targets", {"Rule": live.physical_id, "Ids": gone})


def _delete(context: Context, live: Live) -> None:
    _drop_targets(context, live, [target["Id"] for target in live.properties.get("Targets", [])], [])
    context.call("events", "delete_rule", {"Name": live.physical_id})


TYPES = {"AWS::Events::Rule": ResourceType(_create, _delete, _update, frozenset(["Name", "EventBusName"]))}
