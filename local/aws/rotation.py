"""Secrets Manager's rotation, which calls the deployed function step by step.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

import json
import logging
import threading
import time
import uuid
from typing import Any

import boto3
from botocore.config import Config
from cloudformation.resource import CREDENTIALS
from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

log = logging.getLogger("rotation")

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
FUNCTION_SECONDS = 900
"""A function's longest run."""

_endpoint_url = ""


class StepFailedError(Exception):
    """The function ended a step with an error; the rotation stays where it is."""


def install(endpoint_url: str) -> None:
    """Replaces moto's rotation, which calls functions inside moto, where no deployed code is.

    `endpoint_url` is where functions are invoked.
    """
    global _endpoint_url
    _endpoint_url = endpoint_url
    SecretsManagerBackend.rotate_secret = _rotate_secret  # pyright: ignore
    SecretsManagerBackend.update_secret_version_stage = _move_stage  # pyright: ignore


def _rotate_secret(
    backend: SecretsManagerBackend,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: dict[str, Any] | None = None,
    rotate_immediately: bool = True,
) -> str:
    """Begins at once, by the function that the secret's schedule names, and answers without waiting for its end."""
    secret: Any = backend.secrets[secret_id]
    if rotation_lambda_arn or rotation_rules or not rotate_immediately:
        raise InvalidRequestException("A rotation is set up by AWS::SecretsManager::RotationSchedule here")
    if not secret.rotation_lambda_arn:
        raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
    version = client_request_token or _pending(secret) or str(uuid.uuid4())
    if version not in secret.versions:
        secret.versions[version] = {
            "createdate": int(time.time()),
            "version_id": version,
            "version_stages": ["AWSPENDING"],
        }
    threading.Thread(target=_run, args=(secret, version), name=f"rotation of {secret.name}", daemon=True).start()
    return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": version})


def _pending(secret: FakeSecret) -> str | None:
    """The version of a rotation that stopped on its way: it is taken up, not begun again."""
    stages = {version: told["version_stages"] for version, told in secret.versions.items()}
    return next((name for name, held in stages.items() if "AWSPENDING" in held and "AWSCURRENT" not in held), None)


def _run(secret: Any, version: str) -> None:
    config = Config(read_timeout=FUNCTION_SECONDS, retries={"total_max_attempts": 1})
    client = boto3.client("lambda", endpoint_url=_endpoint_url, region_name=secret.region, config=config, **CREDENTIALS)
    try:
        for step in STEPS:
            event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": version}
            answer = client.invoke(FunctionName=secret.rotation_lambda_arn, Payload=json.dumps(event))
            if "FunctionError" in answer:
                raise StepFailedError(f"{step}: {answer['Payload'].read().decode()}")
    except Exception:
        log.exception("the rotation of %s stopped", secret.name)
    else:
        secret.last_rotation_date = int(time.time())


_moto_move_stage = SecretsManagerBackend.update_secret_version_stage


def _move_stage(
    backend: SecretsManagerBackend,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str,
    move_to_version_id: str,
) -> tuple[str, str]:
    """moto's, which goes on answering the version that was current before to those who name none."""
    moved = _moto_move_stage(backend, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        backend.secrets[secret_id].set_default_version_id(move_to_version_id)  # pyright: ignore
    return moved
