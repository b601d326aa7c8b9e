"""CloudFormation's intrinsic functions: what a template's values refer to, and what they come to."""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

NO_VALUE = object()
"""What `Ref: AWS::NoValue` comes to; the property or item that holds it is left out."""

AVAILABILITY_ZONES = "abc"

_SUBSTITUTION = re.compile(r"\$\{([^}]+)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|secretsmanager):([^}]+)\}\}")


class TemplateError(Exception):
    """A template that CloudFormation would refuse, or a function that is not known here."""


class Scope(Protocol):
    """What a template's values are resolved against."""

    @property
    def region(self) -> str:
        """The region of the stack."""
        ...

    def ref(self, name: str) -> Any:
        """The value of `Ref`: a pseudo parameter's or a resource's physical id. Raises TemplateError."""
        ...

    def attribute(self, logical_id: str, name: str) -> Any:
        """The value of `Fn::GetAtt`. Raises TemplateError."""
        ...

    def dynamic(self, service: str, reference: str) -> str:
        """The value of `{{resolve:<service>:<reference>}}`."""
        ...


def references(value: Any) -> Iterator[str]:
    """The names that a value refers to by Ref, Fn::GetAtt or Fn::Sub: logical ids and pseudo parameters."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if name == "Ref":
            yield item
        elif name == "Fn::GetAtt":
            yield _attribute_path(item)[0]
        elif name == "Fn::Sub":
            yield from _substituted(item)
        else:
            yield from references(item)


def resolve(value: Any, scope: Scope) -> Any:
    """The value with every function in it called. Raises TemplateError."""
    if isinstance(value, str):
        return _DYNAMIC.sub(lambda found: scope.dynamic(found[1], found[2]), value)
    if isinstance(value, list):
        return [item for item in (resolve(item, scope) for item in value) if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return NO_VALUE if argument == "AWS::NoValue" else scope.ref(argument)
        if name.startswith("Fn::"):
            if name not in _FUNCTIONS:
                raise TemplateError(f"{name} is not known here: known are Ref, {', '.join(sorted(_FUNCTIONS))}")
            return _FUNCTIONS[name](argument, scope)
    resolved = {name: resolve(item, scope) for name, item in value.items()}
    return {name: item for name, item in resolved.items() if item is not NO_VALUE}


def _attribute_path(argument: Any) -> tuple[str, str]:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if len(parts) < 2:
        raise TemplateError(f"Fn::GetAtt needs a resource and an attribute, it has {argument}")
    return parts[0], ".".join(parts[1:])


def _get_att(argument: Any, scope: Scope) -> Any:
    return scope.attribute(*_attribute_path(argument))


def _sub_parts(argument: Any) -> tuple[str, dict[str, Any]]:
    return (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])


def _substituted(argument: Any) -> Iterator[str]:
    text, own = _sub_parts(argument)
    yield from references(list(own.values()))
    for name in _SUBSTITUTION.findall(text):
        if name not in own and not name.startswith("!"):
            yield name.split(".", 1)[0]


def _sub(argument: Any, scope: Scope) -> str:
    text, own = _sub_parts(argument)

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in own:
            return str(resolve(own[name], scope))
        return str(_get_att(name, scope) if "." in name else scope.ref(name))

    return resolve(_SUBSTITUTION.sub(value, text), scope)


def _join(argument: Any, scope: Scope) -> str:
    separator, items = argument
    return separator.join(str(item) for item in resolve(items, scope))


def _select(argument: Any, scope: Scope) -> Any:
    index, items = resolve(argument, scope)
    if int(index) >= len(items):
        raise TemplateError(f"Fn::Select has no item {index} in {items}")
    return items[int(index)]


def _split(argument: Any, scope: Scope) -> list[str]:
    separator, text = resolve(argument, scope)
    return text.split(separator)


def _get_azs(argument: Any, scope: Scope) -> list[str]:
    region = resolve(argument, scope) or scope.region
    return [f"{region}{zone}" for zone in AVAILABILITY_ZONES]


def _base64(argument: Any, scope: Scope) -> str:
    return base64.b64encode(resolve(argument, scope).encode()).decode()


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Fn::Base64": _base64,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
