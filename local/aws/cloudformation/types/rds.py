"""Amazon RDS: instances, parameter groups, subnet groups."""

import json

from ..api import Properties
from ..declared import answer_at
from ..resource import Context, Live, Made, ResourceType

_RENAMED = {"VPCSecurityGroups": "VpcSecurityGroupIds"}
_UNKEPT = frozenset(["MasterUserSecret", "ManageMasterUserPassword", "DeleteAutomatedBackups"])
_NOT_CHANGED = frozenset(
    ["Engine", "DBName", "MasterUsername", "StorageEncrypted", "KmsKeyId", "DBSubnetGroupName", "Tags", "Port"]
)


def _parameters(properties: Properties) -> Properties:
    return {_RENAMED.get(name, name): item for name, item in properties.items() if name not in _UNKEPT}


def _create_instance(context: Context, properties: Properties) -> Made:
    name = (properties.get("DBInstanceIdentifier") or context.unique_name(63)).lower()
    # The password is RDS's own; moto wants one.
    taken = {"MasterUserPassword": "managed-by-rds", **_parameters(properties)}
    taken.pop("AllowMajorVersionUpgrade", None)  # a parameter of changes alone
    context.call("rds", "create_db_instance", {**taken, "DBInstanceIdentifier": name})
    return Made(name, _attributes(context, name, properties))


def _attributes(context: Context, name: str, properties: Properties) -> Properties:
    """Address and credentials are the real PostgreSQL's, where one stands in."""
    described = context.call("rds", "describe_db_instances", {"DBInstanceIdentifier": name})["DBInstances"][0]
    database = context.services.stand_ins.database
    address = database.host if database else answer_at(described, "Endpoint", "Address")
    port = database.port if database else answer_at(described, "Endpoint", "Port")
    attributes = {
        "DBInstanceArn": described["DBInstanceArn"],
        "DbiResourceId": described["DbiResourceId"],
        "Endpoint.Address": address,
        "Endpoint.Port": str(port),
    }
    if properties.get("ManageMasterUserPassword"):
        attributes["MasterUserSecret.SecretArn"] = _create_secret(context, name, properties)
    return attributes


def _create_secret(context: Context, name: str, properties: Properties) -> str:
    """The secret that RDS keeps for the master user: its name and password only."""
    database = context.services.stand_ins.database
    login = {
        "username": database.username if database else properties["MasterUsername"],
        "password": database.password if database else "managed-by-rds",
    }
    taken = {"Name": f"rds!db-{name}", "SecretString": json.dumps(login)}
    return context.call("secretsmanager", "create_secret", taken)["ARN"]


def _update_instance(context: Context, live: Live, properties: Properties) -> Made:
    taken = {name: item for name, item in _parameters(properties).items() if name not in _NOT_CHANGED}
    exports = taken.pop("EnableCloudwatchLogsExports", None)
    if exports is not None:
        taken["CloudwatchLogsExportConfiguration"] = {"EnableLogTypes": exports}
    named = {"DBInstanceIdentifier": live.physical_id, "ApplyImmediately": True}
    context.call("rds", "modify_db_instance", {**taken, **named})
    return Made(live.physical_id, live.attributes)


def _snapshot(context: Context, live: Live) -> None:
    """Under a name that no other stack's last snapshot has, as CloudFormation gives it."""
    name = f"{context.stack_name}-snapshot-{context.unique_name()[-12:]}".lower()
    named = {"DBSnapshotIdentifier": name, "DBInstanceIdentifier": live.physical_id}
    context.call("rds", "create_db_snapshot", named)


def _delete_instance(context: Context, live: Live) -> None:
    context.call("rds", "delete_db_instance", {"DBInstanceIdentifier": live.physical_id, "SkipFinalSnapshot": True})
    secret = live.attributes.get("MasterUserSecret.SecretArn")
    if secret:
        context.call("secretsmanager", "delete_secret", {"SecretId": secret, "ForceDeleteWithoutRecovery": True})


def _create_parameters(context: Context, properties: Properties) -> Made:
    name = (properties.get("DBParameterGroupName") or context.unique_name(255)).lower()
    taken = {
        "DBParameterGroupName": name,
        "DBParameterGroupFamily": properties["Family"],
        "Description": properties["Description"],
    }
    context.call("rds", "create_db_parameter_group", taken)
    _set_parameters(context, name, properties)
    return Made(name, {"DBParameterGroupName": name})


def _set_parameters(context: Context, name: str, properties: Properties) -> None:
    parameters = [
        {"ParameterName": key, "ParameterValue": item, "ApplyMethod": "pending-reboot"}
        for key, item in properties.get("Parameters", {}).items()
    ]
    if parameters:
        taken = {"DBParameterGroupName": name, "Parameters": parameters}
        context.call("rds", "modify_db_parameter_group", taken)


def _update_parameters(context: Context, live: Live, properties: Properties) -> Made:
    _set_parameters(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete_parameters(context: Context, live: Live) -> None:
    context.call("rds", "delete_db_parameter_group", {"DBParameterGroupName": live.physical_id})


def _create_subnets(context: Context, properties: Properties) -> Made:
    name = (properties.get("DBSubnetGroupName") or context.unique_name(255)).lower()
    context.call("rds", "create_db_subnet_group", {**properties, "DBSubnetGroupName": name})
    return Made(name)


def _update_subnets(context: Context, live: Live, properties: Properties) -> Made:
    taken = {name: item for name, item in properties.items() if name != "Tags"}
    context.call("rds", "modify_db_subnet_group", {**taken, "DBSubnetGroupName": live.physical_id})
    return Made(live.physical_id)


def _delete_subnets(context: Context, live: Live) -> None:
    context.call("rds", "delete_db_subnet_group", {"DBSubnetGroupName": live.physical_id})


TYPES = {
    "AWS::RDS::DBInstance": ResourceType(
        _create_instance,
        _delete_instance,
        _update_instance,
        frozenset(["DBInstanceIdentifier", "DBName", "Engine", "StorageEncrypted", "KmsKeyId", "DBSubnetGroupName"]),
        snapshot=_snapshot,
    ),
    "AWS::RDS::DBParameterGroup": ResourceType(
        _create_parameters, _delete_parameters, _update_parameters, frozenset(["DBParameterGroupName", "Family"])
    ),
    "AWS::RDS::DBSubnetGroup": ResourceType(
        _create_subnets, _delete_subnets, _update_subnets, frozenset(["DBSubnetGroupName"])
    ),
}
