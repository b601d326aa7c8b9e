"""AWS Glue: databases, tables, jobs, security configurations."""

from ..api import Properties
from ..declared import by_name, declared
from ..resource import Context, Live, Made, ResourceType


def _job_update(properties: Properties) -> Properties:
    return {name: item for name, item in properties.items() if name not in ("Name", "Tags")}


def _put_job(context: Context, live: Live, properties: Properties) -> Made:
    context.call("glue", "update_job", {"JobName": live.physical_id, "JobUpdate": _job_update(properties)})
    return Made(live.physical_id)


def _create_job(context: Context, properties: Properties) -> Made:
    name = properties.get("Name") or context.unique_name()
    context.call("glue", "create_job", {**properties, "Name": name})
    return Made(name)


def _delete_job(context: Context, live: Live) -> None:
    context.call("glue", "delete_job", {"JobName": live.physical_id})


def _table_name(properties: Properties) -> str:
    return properties["TableInput"]["Name"]


def _of_table(live: Live) -> Properties:
    return {"DatabaseName": live.properties["DatabaseName"], "Name": live.physical_id}


def _update_table(context: Context, live: Live, properties: Properties) -> Made:
    taken = {"DatabaseName": properties["DatabaseName"], "TableInput": properties["TableInput"]}
    context.call("glue", "update_table", taken)
    return Made(live.physical_id)


_table = declared(
    "glue",
    create="create_table",
    delete="delete_table",
    named=_of_table,
    physical_id=lambda properties, answer: _table_name(properties),
    unkept=["CatalogId"],
)


def _create_security(context: Context, properties: Properties) -> Made:
    """The API's parameter for S3 has no plural."""
    given = properties["EncryptionConfiguration"]
    encryption = {("S3Encryption" if name == "S3Encryptions" else name): item for name, item in given.items()}
    taken = {"Name": properties["Name"], "EncryptionConfiguration": encryption}
    context.call("glue", "create_security_configuration", taken)
    return Made(properties["Name"])


def _delete_security(context: Context, live: Live) -> None:
    context.call("glue", "delete_security_configuration", {"Name": live.physical_id})


TYPES = {
    "AWS::Glue::Database": declared(
        "glue",
        create="create_database",
        update="update_database",
        delete="delete_database",
        named=by_name(),
        physical_id=lambda properties, answer: properties["DatabaseInput"]["Name"],
        unkept=["CatalogId"],
        replaced_by=["DatabaseName"],
    ),
    "AWS::Glue::Table": ResourceType(_table.create, _table.delete, _update_table, frozenset(["DatabaseName"])),
    "AWS::Glue::Job": ResourceType(_create_job, _delete_job, _put_job, frozenset(["Name"])),
    "AWS::Glue::SecurityConfiguration": ResourceType(_create_security, _delete_security),
}
