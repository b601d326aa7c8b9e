"""Amazon Athena: workgroups, named queries."""

from moto.athena.models import athena_backends

from ..api import Properties
from ..declared import declared, from_answer
from ..resource import ACCOUNT, Context, Live, Made, ResourceType


def _create_workgroup(context: Context, properties: Properties) -> Made:
    taken = {name: properties[name] for name in ("Name", "Description", "Tags") if name in properties}
    context.call(
        "athena", "create_work_group", {**taken, "Configuration": properties.get("WorkGroupConfiguration", {})}
    )
    return Made(properties["Name"])


def _update_workgroup(context: Context, live: Live, properties: Properties) -> Made:
    """moto knows no UpdateWorkGroup."""
    group = athena_backends[ACCOUNT][context.region].work_groups[live.physical_id]
    group.configuration = properties.get("WorkGroupConfiguration", {})
    group.description = properties.get("Description", "")
    return Made(live.physical_id)


def _delete_workgroup(context: Context, live: Live) -> None:
    context.call("athena", "delete_work_group", {"WorkGroup": live.physical_id, "RecursiveDeleteOption": True})


def _delete_query(context: Context, live: Live) -> None:
    """moto knows no DeleteNamedQuery."""
    del athena_backends[ACCOUNT][context.region].named_queries[live.physical_id]


_query = declared(
    "athena",
    create="create_named_query",
    delete=None,
    named=lambda live: {},
    physical_id=from_answer("NamedQueryId"),
    attributes=lambda context, properties, answer: {"NamedQueryId": answer["NamedQueryId"]},
)

TYPES = {
    "AWS::Athena::WorkGroup": ResourceType(
        _create_workgroup, _delete_workgroup, _update_workgroup, frozenset(["Name"])
    ),
    "AWS::Athena::NamedQuery": ResourceType(_query.create, _delete_query),
}
