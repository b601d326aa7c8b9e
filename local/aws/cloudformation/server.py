"""Puts the stacks of this package behind moto's CloudFormation API."""

import json
import logging
import threading
import traceback
from typing import Any
from urllib.parse import unquote, urlparse

from moto.cloudformation.models import Change, ChangeSet, CloudFormationBackend, Event, Stack
from moto.cloudformation.responses import CloudFormationResponse

from .resource import Services, StandIns
from .stack_resources import StackResources, Template

log = logging.getLogger("cloudformation")

_endpoint_url = ""
_moto_url = ""


def install(endpoint_url: str, moto_url: str) -> None:
    """Replaces how moto's stacks are made, changed and removed; its API and its answers stay.

    `endpoint_url` is what deployments use (AWS_ENDPOINT_URL), `moto_url` this server.
    """
    global _endpoint_url, _moto_url
    _endpoint_url, _moto_url = endpoint_url, moto_url
    replacements: list[tuple[type, str, Any]] = [
        (Stack, "_create_resource_map", _create_resource_map),
        (Stack, "outputs", property(_outputs)),
        (Stack, "exports", property(lambda stack: [])),
        (ChangeSet, "diff", _diff),
        (CloudFormationBackend, "delete_change_set", _delete_change_set),
        (CloudFormationBackend, "execute_change_set", _execute_change_set),
        (CloudFormationBackend, "delete_stack", _delete_stack),
        (CloudFormationBackend, "validate_template", _validate_template),
        (CloudFormationResponse, "_get_stack_from_s3_url", _template_at),
    ]
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def _services(region: str) -> Services:
    return Services(_endpoint_url, _moto_url, region, StandIns.from_environment())


def _template_at(response: CloudFormationResponse, template_url: str) -> str:
    """The template at `https://s3.<region>.amazonaws.com/<bucket>/<key>`: it lies where the endpoint keeps objects."""
    bucket, key = urlparse(template_url).path.lstrip("/").split("/", 1)
    found = _services(response.region).client("s3").get_object(Bucket=bucket, Key=unquote(key))
    return found["Body"].read().decode()


def _create_resource_map(stack: Stack) -> StackResources:
    services = _services(stack.region_name)

    def tell(status: str, logical_id: str, kind: str, physical_id: str, reason: str | None) -> None:
        event: Any = Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=logical_id,
            physical_resource_id=physical_id,
            resource_type=kind,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
        stack.events.append(event)

    return StackResources(stack.name, stack.stack_id, services, tell)


def _resources(stack: Stack) -> StackResources:
    return stack.resource_map  # pyright: ignore


def _outputs(stack: Stack) -> list[dict[str, Any]] | None:
    return _resources(stack).outputs or None


def _diff(change_set: ChangeSet) -> list[Any]:
    changes = _resources(change_set.stack).changes(change_set.template_dict)
    return [Change(action, name, kind) for action, found in changes.items() for name, kind in found]


def _validate_template(backend: CloudFormationBackend, template: str) -> list[Any]:
    """Only whether it is one: `npm run check` has cfn-lint judge it; moto lets it take 300 MB of this server."""
    return [] if json.loads(template).get("Resources") else [Finding("The template has no resources")]


class Finding:
    """What moto reads of cfn-lint's findings."""

    def __init__(self, message: str) -> None:
        self.message = message


def _delete_change_set(backend: CloudFormationBackend, change_set_name: str) -> None:
    """One that is not there is no error, as in CloudFormation."""
    for change_set_id, change_set in list(backend.change_sets.items()):
        if change_set_name in (change_set_id, change_set.change_set_name):
            del backend.change_sets[change_set_id]


def _execute_change_set(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """Begins, and answers at once: clients follow the stack's events."""
    change_set: Any = backend.describe_change_set(change_set_name)
    action = change_set.change_set_type
    stack = change_set.stack
    template: Template = json.loads(change_set.template)
    change_set.execution_status = "EXECUTE_COMPLETE"
    stack.template = change_set.template
    stack.description = template.get("Description")
    stack.tags = change_set.tags or stack.tags
    _begin(stack, action, lambda: _resources(stack).apply(template))


def _delete_stack(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
    found = [stack for stack in backend.stacks.values() if name_or_stack_id in (stack.name, stack.stack_id)]
    for stack in found:

        def remove(stack: Stack = stack) -> None:
            _resources(stack).remove()
            backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
            for change_set_id, change_set in list(backend.change_sets.items()):
                if change_set.stack_id == stack.stack_id:
                    del backend.change_sets[change_set_id]

        _begin(stack, "DELETE", remove)


def _begin(stack: Stack, action: str, work: Any) -> None:
    """Works in a thread, with the stack's own events around: `<action>_IN_PROGRESS`, then `_COMPLETE` or `_FAILED`."""
    stack.status = f"{action}_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason="User Initiated")

    def run() -> None:
        try:
            work()
            status, reason = f"{action}_COMPLETE", None
        except Exception as error:
            log.error("%s of stack %s failed:\n%s", action, stack.name, traceback.format_exc())
            status, reason = f"{action}_FAILED", str(error)
        stack.status = status
        stack._add_stack_event(status, resource_status_reason=reason)

    threading.Thread(target=run, name=f"{action} {stack.name}", daemon=True).start()
