"""Amazon ECS: clusters, task definitions, services."""

import time
import urllib.error
import urllib.request

from ..api import Properties
from ..declared import declared, from_answer, from_property
from ..resource import Context, Live, Made, ResourceType

STABLE_WITHIN_SECONDS = 180
LOOK_EVERY_SECONDS = 0.25


class NotStableError(Exception):
    """What the service is to start does not answer."""


def _create_service(context: Context, properties: Properties) -> Made:
    name = properties.get("ServiceName") or context.unique_name()
    taken = {key: item for key, item in properties.items() if key not in ("Tags", "PropagateTags")}
    service = context.call("ecs", "create_service", {**taken, "ServiceName": name})["service"]
    _await_stable(context)
    return Made(service["serviceArn"], {"Name": name, "ServiceArn": service["serviceArn"]})


def _await_stable(context: Context) -> None:
    """Waits until Kafka Connect answers, where a real one stands in, as CloudFormation waits for a steady state."""
    url = context.services.stand_ins.connect_url
    if url is None:
        return
    deadline = time.monotonic() + STABLE_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/connectors", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_EVERY_SECONDS)
    raise NotStableError(f"{context.logical_id}: nothing answers at {url} after {STABLE_WITHIN_SECONDS} s")


_CHANGEABLE = (
    "Cluster",
    "DeploymentConfiguration",
    "DesiredCount",
    "HealthCheckGracePeriodSeconds",
    "NetworkConfiguration",
    "TaskDefinition",
)


def _update_service(context: Context, live: Live, properties: Properties) -> Made:
    taken = {name: properties[name] for name in _CHANGEABLE if name in properties}
    context.call("ecs", "update_service", {**taken, "service": live.attributes["Name"]})
    return Made(live.physical_id, live.attributes)


def _delete_service(context: Context, live: Live) -> None:
    named = {"cluster": live.properties["Cluster"], "service": live.attributes["Name"], "force": True}
    context.call("ecs", "delete_service", named)


def _delete_task_definition(context: Context, live: Live) -> None:
    context.call("ecs", "deregister_task_definition", {"taskDefinition": live.physical_id})


_task_definition = declared(
    "ecs",
    create="register_task_definition",
    delete=None,
    named=lambda live: {},
    physical_id=from_answer("taskDefinition", "taskDefinitionArn"),
    attributes=lambda context, properties, answer: {
        "TaskDefinitionArn": answer["taskDefinition"]["taskDefinitionArn"],
    },
)

TYPES = {
    "AWS::ECS::Cluster": declared(
        "ecs",
        create="create_cluster",
        update="update_cluster",
        delete="delete_cluster",
        named=lambda live: {"cluster": live.physical_id},
        physical_id=from_property("ClusterName"),
        attributes=lambda context, properties, answer: {"Arn": answer["cluster"]["clusterArn"]},
        renamed={"ClusterSettings": "settings"},
        only_created=["ClusterName", "Tags", "CapacityProviders", "DefaultCapacityProviderStrategy"],
        replaced_by=["ClusterName"],
        default_name="ClusterName",
    ),
    "AWS::ECS::TaskDefinition": ResourceType(_task_definition.create, _delete_task_definition),
    "AWS::ECS::Service": ResourceType(
        _create_service, _delete_service, _update_service, frozenset(["Cluster", "ServiceName", "LaunchType"])
    ),
}
