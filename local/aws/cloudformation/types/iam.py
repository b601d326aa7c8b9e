"""AWS IAM: roles and their policies."""

from ..api import Properties
from ..declared import declared, from_answer
from ..resource import Context, Live, Made, ResourceType

_CREATED = ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "PermissionsBoundary", "Tags")


def _create_role(context: Context, properties: Properties) -> Made:
    name = properties.get("RoleName") or context.unique_name()
    taken = {key: properties[key] for key in _CREATED if key in properties}
    role = context.call("iam", "create_role", {**taken, "RoleName": name})["Role"]
    _put_policies(context, name, properties)
    return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _put_policies(context: Context, name: str, properties: Properties) -> None:
    for policy in properties.get("Policies", []):
        context.call("iam", "put_role_policy", {**policy, "RoleName": name})
    for arn in properties.get("ManagedPolicyArns", []):
        context.call("iam", "attach_role_policy", {"RoleName": name, "PolicyArn": arn})


def _update_role(context: Context, live: Live, properties: Properties) -> Made:
    trust = {"RoleName": live.physical_id, "PolicyDocument": properties["AssumeRolePolicyDocument"]}
    context.call("iam", "update_assume_role_policy", trust)
    kept = [policy["PolicyName"] for policy in properties.get("Policies", [])]
    _drop_policies(context, live, kept, properties.get("ManagedPolicyArns", []))
    _put_policies(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _drop_policies(context: Context, live: Live, kept: list[str], kept_managed: list[str]) -> None:
    for policy in live.properties.get("Policies", []):
        if policy["PolicyName"] not in kept:
            named = {"RoleName": live.physical_id, "PolicyName": policy["PolicyName"]}
            context.call("iam", "delete_role_policy", named)
    for arn in live.properties.get("ManagedPolicyArns", []):
        if arn not in kept_managed:
            context.call("iam", "detach_role_policy", {"RoleName": live.physical_id, "PolicyArn": arn})


def _delete_role(context: Context, live: Live) -> None:
    _drop_policies(context, live, [], [])
    context.call("iam", "delete_role", {"RoleName": live.physical_id})


def _put_policy(context: Context, properties: Properties) -> Made:
    for role in properties["Roles"]:
        taken = {name: properties[name] for name in ("PolicyName", "PolicyDocument")}
        context.call("iam", "put_role_policy", {**taken, "RoleName": role})
    return Made(properties["PolicyName"])


def _update_policy(context: Context, live: Live, properties: Properties) -> Made:
    for role in set(live.properties["Roles"]) - set(properties["Roles"]):
        context.call("iam", "delete_role_policy", {"RoleName": role, "PolicyName": live.physical_id})
    return _put_policy(context, properties)


def _delete_policy(context: Context, live: Live) -> None:
    for role in live.properties["Roles"]:
        context.call("iam", "delete_role_policy", {"RoleName": role, "PolicyName": live.physical_id})


TYPES = {
    "AWS::IAM::Role": ResourceType(_create_role, _delete_role, _update_role, frozenset(["RoleName", "Path"])),
    "AWS::IAM::Policy": ResourceType(_put_policy, _delete_policy, _update_policy, frozenset(["PolicyName"])),
    "AWS::IAM::ManagedPolicy": declared(
        "iam",
        create="create_policy",
        delete="delete_policy",
        named=lambda live: {"PolicyArn": live.physical_id},
        physical_id=from_answer("Policy", "Arn"),
        renamed={"ManagedPolicyName": "PolicyName"},
        default_name="ManagedPolicyName",
    ),
}
