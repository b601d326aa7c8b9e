"""Amazon EventBridge Pipes."""

from ..api import Properties
from ..declared import by_name, declared
from ..resource import Context, Live, Made, ResourceType

_CREATED_ONLY = ("Name", "Source", "Tags")


def _update(context: Context, live: Live, properties: Properties) -> Made:
    """A source's topic, group and position are its own for ever: UpdatePipe takes the rest of its parameters."""
    taken = {name: item for name, item in properties.items() if name not in _CREATED_ONLY}
    source = {
        kind: {name: item for name, item in given.items() if name not in _FIXED_IN_SOURCE}
        for kind, given in properties.get("SourceParameters", {}).items()
    }
    context.call("pipes", "update_pipe", {**taken, "SourceParameters": source, "Name": live.physical_id})
    return Made(live.physical_id, live.attributes)


_FIXED_IN_SOURCE = ("TopicName", "StartingPosition", "ConsumerGroupID")

_pipe = declared(
    "pipes",
    create="create_pipe",
    delete="delete_pipe",
    named=by_name(),
    attributes=lambda context, properties, answer: {"Arn": answer["Arn"]},
    default_name="Name",
)

TYPES = {"AWS::Pipes::Pipe": ResourceType(_pipe.create, _pipe.delete, _update, frozenset(["Name", "Source"]))}
