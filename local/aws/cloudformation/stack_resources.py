"""The resources of one stack: applied in the order of their references, removed in the reverse."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .api import Properties
from .graph import creation_order
from .intrinsics import TemplateError, resolve
from .resource import ACCOUNT, Context, Live, ResourceType, Services
from .types import type_of

Template = dict[str, Any]

_SECRET = re.compile(r"(?P<id>arn(:[^:]*){5}:[^:]+|[^:]+)(:SecretString(:(?P<key>[^:]*)(:[^:]*){0,2})?)?")
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html"""

Tell = Callable[[str, str, str, str, str | None], None]
"""Told what happens: status such as CREATE_COMPLETE, logical id, type, physical id, reason."""


class ResourceError(Exception):
    """A resource could not be made, changed or taken away; the stack's events say why."""


class StackResources(Mapping[str, Live]):
    """What a stack has made, by logical id.

    Nothing is rolled back after a failure: the stack is left as it is, with the reason in its events, so that a test
    can look at it.
    """

    def __init__(self, stack_name: str, stack_id: str, services: Services, tell: Tell) -> None:
        self._name = stack_name
        self._id = stack_id
        self._services = services
        self._tell = tell
        self._live: dict[str, Live] = {}
        self._template: Template = {}
        self.outputs: list[dict[str, Any]] = []
        """As DescribeStacks shows them; those of the last template that was applied whole."""
        self.resolved_parameters: dict[str, str] = {}
        self.no_echo_parameter_keys: list[str] = []

    def __getitem__(self, logical_id: str) -> Live:
        return self._live[logical_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._live)

    def __len__(self) -> int:
        return len(self._live)

    @property
    def region(self) -> str:
        """The region of the stack."""
        return self._services.region

    def ref(self, name: str) -> Any:
        """A pseudo parameter's value or a resource's physical id."""
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": self._id,
            "AWS::StackName": self._name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self._live:
            return self._live[name].physical_id
        raise TemplateError(f"Ref {name}: the stack has no such resource")

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute of a resource; one that its type does not give is an error, not None."""
        if logical_id not in self._live:
            raise TemplateError(f"Fn::GetAtt {logical_id}.{name}: the stack has no such resource")
        live = self._live[logical_id]
        if name not in live.attributes:
            known = ", ".join(sorted(live.attributes)) or "none"
            raise TemplateError(f"Fn::GetAtt {logical_id}.{name}: {live.type} gives {known} here")
        return live.attributes[name]

    def dynamic(self, service: str, reference: str) -> str:
        """A parameter of SSM (`name[:version]`) or a secret's text (`id[:SecretString[:key of its JSON]]`)."""
        if service == "ssm":
            name = reference.split(":")[0]
            return self._services.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        found = _SECRET.fullmatch(reference)
        if found is None:
            raise TemplateError(f"{{{{resolve:secretsmanager:{reference}}}}} names no secret's text")
        text = self._services.client("secretsmanager").get_secret_value(SecretId=found["id"])["SecretString"]
        return str(json.loads(text)[found["key"]]) if found["key"] else text

    def changes(self, template: Template) -> dict[str, list[tuple[str, str]]]:
        """(logical id, type) to Add, Modify and Remove on the way to the template, as a change set shows them."""
        old, new = self._template.get("Resources", {}), template["Resources"]
        return {
            "Add": [(name, new[name]["Type"]) for name in new if name not in old],
            "Modify": [(name, new[name]["Type"]) for name in new if name in old and new[name] != old[name]],
            "Remove": [(name, old[name]["Type"]) for name in old if name not in new],
        }

    def apply(self, template: Template) -> None:
        """Makes the stack what the template says. Raises ResourceError, TemplateError."""
        for part in ("Conditions", "Mappings", "Parameters", "Transform"):
            if template.get(part):
                raise TemplateError(f"{part} of a template are not known here")
        wanted, before = template["Resources"], self._template.get("Resources", {})
        # What a failure leaves behind is the stack's, too, and goes with it.
        self._template = {"Resources": {**before, **wanted}}
        replaced: list[tuple[Live, str]] = []
        for logical_id in creation_order(wanted):
            policy = wanted[logical_id].get("UpdateReplacePolicy", "Delete")
            replaced += [(live, policy) for live in self._put(logical_id, wanted[logical_id])]
        for live, policy in reversed(replaced):
            self._end(live, policy)
        for logical_id in reversed(creation_order(before)):
            if logical_id not in wanted:
                self._remove(logical_id, before[logical_id])
        self._template = template
        self.outputs = self._resolved_outputs(template)

    def remove(self) -> None:
        """Takes every resource away but those that are to stay. Raises ResourceError once all were tried."""
        resources = self._template.get("Resources", {})
        failures: list[str] = []
        for logical_id in reversed(creation_order(resources)):
            try:
                self._remove(logical_id, resources[logical_id])
            except ResourceError as error:
                failures.append(str(error))
        if failures:
            raise ResourceError("; ".join(failures))

    def _resolved_outputs(self, template: Template) -> list[dict[str, Any]]:
        declared = template.get("Outputs") or {}
        return [
            {
                "OutputKey": key,
                "OutputValue": str(resolve(output["Value"], self)),
                "Description": output.get("Description"),
                "ExportName": resolve(output.get("Export", {}).get("Name"), self),
            }
            for key, output in declared.items()
        ]

    def _context(self, logical_id: str) -> Context:
        return Context(self._services, self._name, self._id, logical_id)

    def _put(self, logical_id: str, resource: dict[str, Any]) -> list[Live]:
        """Creates or updates one resource; what it replaced is to be deleted at the end."""
        live = self._live.get(logical_id)
        action = "CREATE" if live is None else "UPDATE"
        try:
            properties: Properties = resolve(resource.get("Properties", {}), self)
            kind = type_of(resource["Type"])
            if live is not None and live.type == resource["Type"] and live.properties == properties:
                return []
            self._tell(f"{action}_IN_PROGRESS", logical_id, resource["Type"], live.physical_id if live else "", None)
            replaced = [] if live is None or not _is_replaced(kind, live, resource["Type"], properties) else [live]
            if live is None or replaced or kind.update is None:
                made = kind.create(self._context(logical_id), properties)
            else:
                made = kind.update(self._context(logical_id), live, properties)
                if made.physical_id != live.physical_id:
                    replaced = [live]
        except Exception as error:
            reason = _reason(error)
            self._tell(f"{action}_FAILED", logical_id, resource["Type"], live.physical_id if live else "", reason)
            raise ResourceError(f"{logical_id} ({resource['Type']}): {reason}") from error
        self._live[logical_id] = Live(logical_id, resource["Type"], properties, made.physical_id, made.attributes)
        self._tell(f"{action}_COMPLETE", logical_id, resource["Type"], made.physical_id, None)
        return replaced

    def _remove(self, logical_id: str, resource: dict[str, Any]) -> None:
        live = self._live.get(logical_id)
        if live is None:
            return
        self._end(live, resource.get("DeletionPolicy", "Delete"))
        del self._live[logical_id]

    def _end(self, live: Live, policy: str) -> None:
        if policy in ("Retain", "RetainExceptOnCreate"):
            self._tell("DELETE_SKIPPED", live.logical_id, live.type, live.physical_id, None)
        else:
            self._delete(live, snapshot=policy == "Snapshot")

    def _delete(self, live: Live, snapshot: bool) -> None:
        self._tell("DELETE_IN_PROGRESS", live.logical_id, live.type, live.physical_id, None)
        try:
            kind = type_of(live.type)
            if snapshot:
                if kind.snapshot is None:
                    raise TemplateError(f"{live.type} takes no snapshot: DeletionPolicy Snapshot is not for it")
                kind.snapshot(self._context(live.logical_id), live)
            kind.delete(self._context(live.logical_id), live)
        except Exception as error:
            reason = _reason(error)
            self._tell("DELETE_FAILED", live.logical_id, live.type, live.physical_id, reason)
            raise ResourceError(f"{live.logical_id} ({live.type}): {reason}") from error
        self._tell("DELETE_COMPLETE", live.logical_id, live.type, live.physical_id, None)


def _is_replaced(kind: ResourceType, live: Live, wanted_type: str, properties: Properties) -> bool:
    if live.type != wanted_type or kind.update is None:
        return True
    return any(live.properties.get(name) != properties.get(name) for name in kind.replaced_by)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
