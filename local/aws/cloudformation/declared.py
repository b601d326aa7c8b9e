"""Types whose properties are the parameters of one call each: most of them, declared in a few lines."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .api import Properties
from .resource import Context, Live, Made, ResourceType

Answer = dict[str, Any]


def by_name(parameter: str = "Name") -> Callable[[Live], Properties]:
    """The resource's physical id as the parameter that names it."""
    return lambda live: {parameter: live.physical_id}


def from_property(name: str = "Name") -> Callable[[Properties, Answer], str]:
    """A physical id that a property gives."""
    return lambda properties, answer: properties[name]


def from_answer(*path: str) -> Callable[[Properties, Answer], str]:
    """A physical id that the answer to the create call gives, at a path."""
    return lambda properties, answer: answer_at(answer, *path)


def answer_at(answer: Answer, *path: str) -> Any:
    """A value inside an answer."""
    value: Any = answer
    for name in path:
        value = value[name]
    return value


def _name(properties: Properties, answer: Answer) -> str:
    return properties["Name"]


def declared(
    service: str,
    *,
    create: str,
    delete: str | None,
    named: Callable[[Live], Properties],
    update: str | None = None,
    physical_id: Callable[[Properties, Answer], str] = _name,
    attributes: Callable[[Context, Properties, Answer], Mapping[str, Any]] = lambda context, properties, answer: {},
    renamed: Mapping[str, str] | None = None,
    unkept: Iterable[str] = (),
    only_created: Iterable[str] = (),
    replaced_by: Iterable[str] = (),
    default_name: str | None = None,
) -> ResourceType:
    """A type made by one call of a service, changed by another and deleted by a third.

    `named` gives the parameters that name the resource in update and delete; `renamed` maps properties to the
    parameters that are called otherwise; `unkept` are properties that moto has no place for, `only_created` those that
    the update call does not take; `default_name` is the property that gets a generated name. A type without `update` is
    replaced by any change.
    """
    to_parameter = renamed or {}
    left_out = frozenset(unkept)

    def parameters(properties: Properties) -> Properties:
        return {to_parameter.get(name, name): item for name, item in properties.items() if name not in left_out}

    def make(context: Context, properties: Properties) -> Made:
        complete = properties
        if default_name is not None and default_name not in properties:
            complete = {**properties, default_name: context.unique_name()}
        answer = context.call(service, create, parameters(complete))
        return Made(physical_id(complete, answer), attributes(context, complete, answer))

    def change(context: Context, live: Live, properties: Properties) -> Made:
        assert update is not None
        taken = {name: item for name, item in properties.items() if name not in frozenset(only_created)}
        context.call(service, update, {**parameters(taken), **named(live)})
        return Made(live.physical_id, live.attributes)

    def take_away(context: Context, live: Live) -> None:
        if delete is not None:
            context.call(service, delete, named(live))

    return ResourceType(
        create=make,
        delete=take_away,
        update=change if update is not None else None,
        replaced_by=frozenset(replaced_by),
    )
