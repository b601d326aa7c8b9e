"""What a resource is while it lives, and what a type of resource can do."""

import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from .api import Properties, call

ACCOUNT = "123456789012"
"""moto's account."""

CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@dataclass(frozen=True)
class Database:
    """A real PostgreSQL that stands in for the RDS instance."""

    host: str
    port: int
    username: str
    password: str


@dataclass(frozen=True)
class StandIns:
    """Real servers behind what moto only keeps a record of; none of them is needed to deploy."""

    database: Database | None = None
    connect_url: str | None = None
    """Kafka Connect's REST interface: what the ECS service is to start."""

    @staticmethod
    def from_environment() -> "StandIns":
        """From CDC_STAND_INS, JSON: `{"database": {"host", "port", "username", "password"}, "connect_url"}`."""
        told = json.loads(os.environ.get("CDC_STAND_INS", "{}"))
        database = told.get("database")
        return StandIns(Database(**database) if database else None, told.get("connect_url"))


@dataclass(frozen=True)
class Services:
    """The AWS APIs as a client reaches them: by the endpoint that a deployment uses, or moto's server itself."""

    endpoint_url: str
    moto_url: str
    region: str
    stand_ins: StandIns = StandIns()
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(region_name=self.region, **CREDENTIALS)

    def client(self, service: str, url: str | None = None) -> Any:
        """A client of the service at the endpoint, or at another URL."""
        key = (service, url or self.endpoint_url)
        if key not in self._clients:
            # A function that a custom resource calls may take its 15 minutes; nothing is tried twice unseen.
            config = Config(read_timeout=900, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
            self._clients[key] = self._session.client(service, endpoint_url=key[1], config=config)
        return self._clients[key]


@dataclass(frozen=True)
class Context:
    """Where a type's functions work: one resource of one stack."""

    services: Services
    stack_name: str
    stack_id: str
    logical_id: str

    @property
    def region(self) -> str:
        """The stack's region."""
        return self.services.region

    def call(self, service: str, operation: str, parameters: Properties) -> dict[str, Any]:
        """Calls a service with parameters as CloudFormation writes them."""
        return call(self.services.client(service), operation, parameters)

    def unique_name(self, longest: int = 64) -> str:
        """A name as CloudFormation makes one: `<stack>-<logical id>-<random>`, cut in front of the random part."""
        return f"{self.stack_name}-{self.logical_id}"[: longest - 13] + f"-{uuid.uuid4().hex[:12].upper()}"

    def arn(self, service: str, resource: str) -> str:
        """`arn:aws:<service>:<region>:<account>:<resource>`."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{resource}"


@dataclass
class Made:
    """What creating or updating a resource gives: what Ref and Fn::GetAtt of it come to."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Live:
    """A resource that a stack has made."""

    logical_id: str
    type: str
    properties: Properties
    physical_id: str
    attributes: Mapping[str, Any]

    @property
    def logical_resource_id(self) -> str:
        """As moto's DescribeStackResources reads it."""
        return self.logical_id

    @property
    def physical_resource_id(self) -> str:
        """As moto's DescribeStackResources reads it."""
        return self.physical_id

    @property
    def cf_resource_type(self) -> str:
        """As moto's DescribeStackResources reads it."""
        return self.type


Create = Callable[[Context, Properties], Made]
Update = Callable[[Context, Live, Properties], Made]
Delete = Callable[[Context, Live], None]


@dataclass(frozen=True)
class ResourceType:
    """How resources of a type are made, changed and taken away."""

    create: Create
    delete: Delete
    update: Update | None = None
    """None: any change replaces the resource."""
    replaced_by: frozenset[str] = frozenset()
    """Properties whose change replaces the resource, as the type's page in the CloudFormation reference says."""
    snapshot: Delete | None = None
    """Called before `delete` under DeletionPolicy Snapshot."""
