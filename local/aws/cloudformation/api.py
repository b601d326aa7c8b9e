"""Calls of a service's API with CloudFormation's properties."""

import json
import re
from typing import Any

from botocore import model, xform_name
from botocore.client import BaseClient

Properties = dict[str, Any]


class PropertyError(Exception):
    """A property that the API has no parameter for, or whose value does not fit it."""


def call(client: BaseClient, operation: str, parameters: Properties) -> dict[str, Any]:
    """Calls an operation, e.g. `create_job`, with parameters written as CloudFormation writes them."""
    by_method = {xform_name(name): name for name in client.meta.service_model.operation_names}
    shape = client.meta.service_model.operation_model(by_method[operation]).input_shape
    fitted = fit(shape, parameters, operation) if shape is not None else {}
    return getattr(client, operation)(**fitted)


def fit(shape: Any, value: Any, where: str) -> Any:
    """The value as the API's parameter takes it.

    CloudFormation and the APIs differ in how names begin (`ClusterName`, `clusterName`), in what is text (numbers,
    booleans, policy documents) and in tags (a list or a map). `shape` is botocore's model.Shape. Raises PropertyError.
    """
    if isinstance(shape, model.StructureShape):
        return _structure(shape, value, where)
    if isinstance(shape, model.ListShape):
        pairs = [{"Key": name, "Value": item} for name, item in value.items()] if isinstance(value, dict) else value
        items = pairs if isinstance(pairs, list) else [pairs]
        return [fit(shape.member, item, f"{where}[]") for item in items]
    if isinstance(shape, model.MapShape):
        pairs = {pair["Key"]: pair["Value"] for pair in value} if isinstance(value, list) else value
        return {str(name): fit(shape.value, item, f"{where}.{name}") for name, item in pairs.items()}
    return _scalar(shape.type_name, value, where)


def _structure(shape: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PropertyError(f"{where} takes an object, not {value!r}")
    members = {name.lower(): name for name in shape.members}
    unknown = [name for name in value if name.lower() not in members]
    if unknown:
        raise PropertyError(f"{where} has no parameter for {', '.join(unknown)}")
    fitted: dict[str, Any] = {}
    for name, item in value.items():
        member = members[name.lower()]
        fitted[member] = fit(shape.members[member], item, f"{where}.{member}")
    return fitted


def _scalar(kind: str, value: Any, where: str) -> Any:
    if kind == "string":
        if isinstance(value, bool):
            return str(value).lower()
        return json.dumps(value) if isinstance(value, dict | list) else str(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind in ("integer", "long"):
        if not re.fullmatch(r"-?\d+(\.0+)?", str(value)):
            raise PropertyError(f"{where} takes a whole number, not {value!r}")
        return int(float(str(value)))
    if kind in ("float", "double"):
        return float(value)
    return value
