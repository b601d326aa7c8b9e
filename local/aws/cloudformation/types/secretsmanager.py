"""AWS Secrets Manager: secrets, their policies and rotation."""

import json

from moto.secretsmanager.models import secretsmanager_backends

from ..api import Properties
from ..declared import by_name, declared
from ..resource import ACCOUNT, Context, Live, Made, ResourceType


def _text(context: Context, properties: Properties) -> str:
    wanted = properties.get("GenerateSecretString")
    if wanted is None:
        return properties.get("SecretString", "")
    rules = {name: item for name, item in wanted.items() if name not in ("SecretStringTemplate", "GenerateStringKey")}
    password = context.call("secretsmanager", "get_random_password", rules)["RandomPassword"]
    if "GenerateStringKey" not in wanted:
        return password
    return json.dumps({**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: password})


def _create(context: Context, properties: Properties) -> Made:
    taken = {name: properties[name] for name in ("Description", "KmsKeyId", "Tags") if name in properties}
    taken |= {"Name": properties.get("Name") or context.unique_name(), "SecretString": _text(context, properties)}
    arn = context.call("secretsmanager", "create_secret", taken)["ARN"]
    return Made(arn, {"Id": arn})


def _update(context: Context, live: Live, properties: Properties) -> Made:
    """A secret whose rules of generation changed gets a new value, as in CloudFormation."""
    taken = {name: properties[name] for name in ("Description", "KmsKeyId") if name in properties}
    sources = ("SecretString", "GenerateSecretString")
    if any(properties.get(name) != live.properties.get(name) for name in sources):
        taken["SecretString"] = _text(context, properties)
    context.call("secretsmanager", "update_secret", {**taken, "SecretId": live.physical_id})
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    named = {"SecretId": live.physical_id, "ForceDeleteWithoutRecovery": True}
    context.call("secretsmanager", "delete_secret", named)


def _put_rotation(context: Context, properties: Properties) -> Made:
    """Set on moto's secret itself: RotateSecret would begin a rotation at once."""
    secret = secretsmanager_backends[ACCOUNT][context.region].secrets[properties["SecretId"]]
    secret.rotation_requested = True  # pyright: ignore
    secret.rotation_enabled = True  # pyright: ignore
    secret.rotation_lambda_arn = properties.get("RotationLambdaARN", "")  # pyright: ignore
    rules = properties.get("RotationRules", {})
    secret.auto_rotate_after_days = int(rules.get("AutomaticallyAfterDays", 0))  # pyright: ignore
    return Made(properties["SecretId"])


def _update_rotation(context: Context, live: Live, properties: Properties) -> Made:
    return _put_rotation(context, properties)


def _delete_rotation(context: Context, live: Live) -> None:
    context.call("secretsmanager", "cancel_rotate_secret", {"SecretId": live.physical_id})


TYPES = {
    "AWS::SecretsManager::Secret": ResourceType(_create, _delete, _update, frozenset(["Name"])),
    "AWS::SecretsManager::ResourcePolicy": declared(
        "secretsmanager",
        create="put_resource_policy",
        update="put_resource_policy",
        delete="delete_resource_policy",
        named=by_name("SecretId"),
        physical_id=lambda properties, answer: properties["SecretId"],
        replaced_by=["SecretId"],
    ),
    "AWS::SecretsManager::RotationSchedule": ResourceType(
        _put_rotation, _delete_rotation, _update_rotation, frozenset(["SecretId"])
    ),
}
