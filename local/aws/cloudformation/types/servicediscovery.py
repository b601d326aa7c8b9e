"""AWS Cloud Map: private DNS namespaces and services."""

from ..api import Properties
from ..declared import answer_at
from ..resource import Context, Live, Made, ResourceType


def _create_namespace(context: Context, properties: Properties) -> Made:
    operation_id = context.call("servicediscovery", "create_private_dns_namespace", properties)["OperationId"]
    operation = context.call("servicediscovery", "get_operation", {"OperationId": operation_id})["Operation"]
    namespace_id = answer_at(operation, "Targets", "NAMESPACE")
    namespace = context.call("servicediscovery", "get_namespace", {"Id": namespace_id})["Namespace"]
    zone = namespace.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId", "")
    return Made(namespace_id, {"Id": namespace_id, "Arn": namespace["Arn"], "HostedZoneId": zone})


def _delete_namespace(context: Context, live: Live) -> None:
    context.call("servicediscovery", "delete_namespace", {"Id": live.physical_id})


def _create_service(context: Context, properties: Properties) -> Made:
    service = context.call("servicediscovery", "create_service", properties)["Service"]
    return Made(service["Id"], {"Id": service["Id"], "Arn": service["Arn"], "Name": service["Name"]})


def _delete_service(context: Context, live: Live) -> None:
    context.call("servicediscovery", "delete_service", {"Id": live.physical_id})


TYPES = {
    "AWS::ServiceDiscovery::PrivateDnsNamespace": ResourceType(_create_namespace, _delete_namespace),
    "AWS::ServiceDiscovery::Service": ResourceType(_create_service, _delete_service),
}
