"""A moto server that deploys stacks, and clients for it."""

import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "local" / "aws"))

# A profile that the user of this machine has chosen is none of the clients' here.
os.environ.pop("AWS_PROFILE", None)

REGION = "us-east-1"
STARTED_WITHIN_SECONDS = 180
DONE_WITHIN_SECONDS = 180


def free_port() -> int:
    """A port that nobody listens on, below those that outgoing connections take while its server is not up."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port between 20000 and 32000 in 100 attempts")


@pytest.fixture(scope="session")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto with stacks, its own endpoint."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("moto") / "moto.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "local/aws/moto_server.py"), "-p", str(port), "--stacks"],
            env={**os.environ, "MOTO_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        await_server(url, server, log)
        yield url
    finally:
        server.kill()
        server.wait()


def await_server(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Waits until moto answers; raises with its log when it does not."""
    deadline = time.monotonic() + STARTED_WITHIN_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"moto did not start:\n{log.read_text()}")


@pytest.fixture
def client(endpoint_url: str) -> Callable[[str], Any]:
    """Makes clients by the service's name."""

    def make(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=endpoint_url, region_name=REGION, **keys)  # pyright: ignore

    return make


class Stack:
    """A stack of its own name, deployed as osls does it: by change sets."""

    def __init__(self, client: Any) -> None:
        self.name = f"stack-{uuid.uuid4().hex[:8]}"
        self._client = client
        self._id = self.name

    def deploy(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> str:
        """Makes the stack what the template says; the status in which it ends."""
        change_set = f"change-{uuid.uuid4().hex[:8]}"
        answer = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=change_set,
            ChangeSetType="CREATE" if self._id == self.name else "UPDATE",
            TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs or {}}),
        )
        self._id = answer["StackId"]
        self._client.execute_change_set(StackName=self.name, ChangeSetName=change_set)
        return self._ended()

    def remove(self) -> str:
        """Deletes the stack; the status in which that ends."""
        self._client.delete_stack(StackName=self.name)
        return self._ended()

    def _ended(self) -> str:
        deadline = time.monotonic() + DONE_WITHIN_SECONDS
        status = "unknown"
        while time.monotonic() < deadline:
            status = self.described()["StackStatus"]
            if not status.endswith(("_IN_PROGRESS", "PENDING")):
                return status
            time.sleep(0.05)
        raise TimeoutError(f"{self.name} is {status} after {DONE_WITHIN_SECONDS} s")

    def described(self) -> dict[str, Any]:
        """As DescribeStacks shows it, once it is deleted, too."""
        return self._client.describe_stacks(StackName=self._id)["Stacks"][0]

    def outputs(self) -> dict[str, str]:
        """The outputs by their keys."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.described()["Outputs"]}

    def resources(self) -> dict[str, str]:
        """Physical ids by logical ones."""
        listed = self._client.list_stack_resources(StackName=self._id)["StackResourceSummaries"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}

    def events(self) -> list[tuple[str, str, str]]:
        """(logical id, status, reason) of every event of a resource, oldest first."""
        events = self._client.describe_stack_events(StackName=self._id)["StackEvents"]
        told = sorted(events, key=lambda event: event["Timestamp"])
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in told
            if event["LogicalResourceId"] != self.name
        ]


@pytest.fixture
def stack(client: Callable[[str], Any]) -> Stack:
    """A stack that is not there yet."""
    return Stack(client("cloudformation"))
