"""The order in which a template's resources can be made."""

from typing import Any

from .intrinsics import TemplateError, references


def dependencies(resource: dict[str, Any]) -> set[str]:
    """The names that a resource has to wait for: DependsOn and whatever its properties refer to."""
    named = resource.get("DependsOn", [])
    return {*([named] if isinstance(named, str) else named), *references(resource.get("Properties", {}))}


def creation_order(resources: dict[str, Any]) -> list[str]:
    """Logical ids, each behind those that it depends on, else as they stand in the template.

    Raises TemplateError for a circle and for a dependency on a resource that is not there.
    """
    order: list[str] = []
    on_the_way: list[str] = []

    def visit(logical_id: str) -> None:
        if logical_id in order:
            return
        if logical_id in on_the_way:
            circle = [*on_the_way[on_the_way.index(logical_id) :], logical_id]
            raise TemplateError(f"Circular dependency between resources: {' -> '.join(circle)}")
        on_the_way.append(logical_id)
        for needed in sorted(dependencies(resources[logical_id])):
            if needed in resources:
                visit(needed)
            elif not needed.startswith("AWS::"):
                raise TemplateError(f"{logical_id} depends on {needed}, which is no resource of the template")
        on_the_way.pop()
        order.append(logical_id)

    for logical_id in resources:
        visit(logical_id)
    return order
