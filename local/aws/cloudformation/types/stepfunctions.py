"""AWS Step Functions: state machines."""

import json
import re
from typing import Any

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType

_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


def definition_of(properties: Properties) -> str:
    """The definition's text with its substitutions made. Raises ValueError for one that is not given."""
    text: Any = properties.get("DefinitionString") or json.dumps(properties["Definition"])
    given = properties.get("DefinitionSubstitutions", {})
    missing = sorted({name for name in _SUBSTITUTION.findall(text) if name not in given})
    if missing:
        raise ValueError(f"DefinitionSubstitutions lacks {', '.join(missing)}")
    return _SUBSTITUTION.sub(lambda found: json.dumps(str(given[found[1]]))[1:-1], text)


def _settings(properties: Properties) -> Properties:
    kept = ("LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration")
    return {"Definition": definition_of(properties), "RoleArn": properties["RoleArn"]} | {
        name: properties[name] for name in kept if name in properties
    }


def _create(context: Context, properties: Properties) -> Made:
    name = properties.get("StateMachineName") or context.unique_name()
    kind = properties.get("StateMachineType", "STANDARD")
    tags = properties.get("Tags", [])
    taken = {**_settings(properties), "name": name, "type": kind, "tags": tags}
    arn = context.call("stepfunctions", "create_state_machine", taken)["stateMachineArn"]
    return Made(arn, {"Arn": arn, "Name": name})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    taken = {**_settings(properties), "stateMachineArn": live.physical_id}
    context.call("stepfunctions", "update_state_machine", taken)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    context.call("stepfunctions", "delete_state_machine", {"stateMachineArn": live.physical_id})


TYPES = {
    "AWS::StepFunctions::StateMachine": ResourceType(
        _create, _delete, _update, frozenset(["StateMachineName", "StateMachineType"])
    ),
}
