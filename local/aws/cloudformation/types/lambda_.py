"""AWS Lambda: functions, permissions, versions."""

from ..api import Properties
from ..declared import declared, from_answer
from ..resource import Context, Live, Made, ResourceType

_UNKEPT = frozenset(["RecursiveLoop", "RuntimeManagementConfig", "ReservedConcurrentExecutions"])


def _create(context: Context, properties: Properties) -> Made:
    name = properties.get("FunctionName") or context.unique_name()
    taken = {key: item for key, item in properties.items() if key not in _UNKEPT}
    answer = context.call("lambda", "create_function", {**taken, "FunctionName": name})
    _reserve(context, name, properties)
    return Made(name, {"Arn": answer["FunctionArn"]})


def _reserve(context: Context, name: str, properties: Properties) -> None:
    reserved = properties.get("ReservedConcurrentExecutions")
    if reserved is not None:
        taken = {"FunctionName": name, "ReservedConcurrentExecutions": reserved}
        context.call("lambda", "put_function_concurrency", taken)


def _update(context: Context, live: Live, properties: Properties) -> Made:
    named = {"FunctionName": live.physical_id}
    if properties["Code"] != live.properties["Code"]:
        context.call("lambda", "update_function_code", {**named, **properties["Code"]})
    left_out = {*_UNKEPT, "Code", "Architectures", "Tags", "PackageType", "FunctionName"}
    taken = {key: item for key, item in properties.items() if key not in left_out}
    context.call("lambda", "update_function_configuration", {**taken, **named})
    _reserve(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    context.call("lambda", "delete_function", {"FunctionName": live.physical_id})


def _permit(context: Context, properties: Properties) -> Made:
    statement = context.unique_name(100)
    context.call("lambda", "add_permission", {**properties, "StatementId": statement})
    return Made(statement, {"Id": statement})


def _forbid(context: Context, live: Live) -> None:
    named = {"FunctionName": live.properties["FunctionName"], "StatementId": live.physical_id}
    context.call("lambda", "remove_permission", named)


TYPES = {
    "AWS::Lambda::Function": ResourceType(_create, _delete, _update, frozenset(["FunctionName", "PackageType"])),
    "AWS::Lambda::Permission": ResourceType(_permit, _forbid),
    "AWS::Lambda::Version": declared(
        "lambda",
        create="publish_version",
        delete=None,
        named=lambda live: {},
        physical_id=from_answer("FunctionArn"),
        attributes=lambda context, properties, answer: {"Version": answer["Version"]},
    ),
    "AWS::Lambda::EventInvokeConfig": declared(
        "lambda",
        create="put_function_event_invoke_config",
        update="put_function_event_invoke_config",
        delete="delete_function_event_invoke_config",
        named=lambda live: {"FunctionName": live.properties["FunctionName"]},
        physical_id=lambda properties, answer: f"{properties['FunctionName']}|{properties.get('Qualifier', '$LATEST')}",
        replaced_by=["FunctionName", "Qualifier"],
    ),
}
