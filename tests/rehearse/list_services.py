"""What an account holds, by each service's own list call, as JSON: `{"glue jobs": ["cdc-demo-dev-bronze", ...], ...}`.

    AWS_ENDPOINT_URL=<url> python list_services.py

Names as people know them; what AWS, and so moto, gives every account is left out.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

import boto3

CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}


def client(service: str) -> Any:
    """A client that follows AWS_ENDPOINT_URL."""
    return boto3.client(service, **CREDENTIALS)  # pyright: ignore


def names(items: Iterable[dict[str, Any]], key: str) -> list[str]:
    """One value of each item, sorted."""
    return sorted(item[key] for item in items)


def everything(service: str, operation: str, result: str, **parameters: Any) -> list[Any]:
    """All pages of a list call."""
    pages = client(service).get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page.get(result, [])]


def not_default_vpc() -> list[dict[str, str]]:
    """Filter for what is in a VPC that somebody made."""
    vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    return [{"Name": "vpc-id", "Values": [vpc["VpcId"] for vpc in vpcs] or ["none"]}]  # pyright: ignore


def of_clusters(operation: str, result: str) -> list[Any]:
    """What every MSK cluster holds."""
    kafka = client("kafka")
    clusters = kafka.list_clusters()["ClusterInfoList"]
    return [item for c in clusters for item in getattr(kafka, operation)(ClusterArn=c["ClusterArn"])[result]]


def ecs_clusters() -> list[str]:
    """Clusters that are on: a deleted one is listed for a while, as INACTIVE."""
    ecs = client("ecs")
    described = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    return names([cluster for cluster in described if cluster["status"] == "ACTIVE"], "clusterName")


def ecs_services() -> list[str]:
    """Services that are on, of every cluster."""
    ecs = client("ecs")
    found: list[str] = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_services(cluster=cluster)["serviceArns"]
        described = ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []
        found += names([service for service in described if service["status"] == "ACTIVE"], "serviceName")
    return found


def of_functions() -> list[str]:
    """Statements that let somebody call a function."""
    functions = client("lambda")
    statements: list[str] = []
    for function in everything("lambda", "list_functions", "Functions"):
        try:
            policy = functions.get_policy(FunctionName=function["FunctionName"])["Policy"]
        except functions.exceptions.ResourceNotFoundException:
            continue
        statements += [statement["Sid"] for statement in json.loads(policy)["Statement"]]
    return statements


def customer_keys() -> list[str]:
    """Keys that are not waiting for their deletion."""
    kms = client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in everything("kms", "list_keys", "Keys")]
    return names([key for key in keys if key["KeyManager"] == "CUSTOMER" and key["Enabled"]], "KeyId")


def tables_of_catalog() -> list[str]:
    """Tables of every database of the Glue catalog."""
    glue = client("glue")
    databases = glue.get_databases()["DatabaseList"]
    return [table["Name"] for base in databases for table in glue.get_tables(DatabaseName=base["Name"])["TableList"]]


LISTS: dict[str, Callable[[], list[str]]] = {
    "application-autoscaling targets": lambda: names(
        client("application-autoscaling").describe_scalable_targets(ServiceNamespace="kafka")["ScalableTargets"],
        "ResourceId",
    ),
    "athena named queries": lambda: client("athena").list_named_queries(WorkGroup="cdc-demo-dev")["NamedQueryIds"],
    "athena workgroups": lambda: [
        name for name in names(client("athena").list_work_groups()["WorkGroups"], "Name") if name != "primary"
    ],
    "budgets": lambda: names(
        client("budgets").describe_budgets(AccountId="123456789012").get("Budgets", []), "BudgetName"
    ),
    "cloudwatch alarms": lambda: names(everything("cloudwatch", "describe_alarms", "MetricAlarms"), "AlarmName"),
    "cloudwatch composite alarms": lambda: names(
        everything("cloudwatch", "describe_alarms", "CompositeAlarms", AlarmTypes=["CompositeAlarm"]), "AlarmName"
    ),
    "cloudwatch dashboards": lambda: names(client("cloudwatch").list_dashboards()["DashboardEntries"], "DashboardName"),
    "dynamodb tables": lambda: client("dynamodb").list_tables()["TableNames"],
    "ec2 addresses": lambda: names(client("ec2").describe_addresses()["Addresses"], "PublicIp"),
    "ec2 endpoints": lambda: names(
        client("ec2").describe_vpc_endpoints(Filters=not_default_vpc())["VpcEndpoints"], "VpcEndpointId"
    ),
    "ec2 flow logs": lambda: names(client("ec2").describe_flow_logs()["FlowLogs"], "FlowLogId"),
    "ec2 internet gateways": lambda: names(
        client("ec2").describe_internet_gateways()["InternetGateways"], "InternetGatewayId"
    ),
    "ec2 nat gateways": lambda: names(
        [gateway for gateway in client("ec2").describe_nat_gateways()["NatGateways"] if gateway["State"] != "deleted"],
        "NatGatewayId",
    ),
    "ec2 route tables": lambda: names(
        client("ec2").describe_route_tables(Filters=not_default_vpc())["RouteTables"], "RouteTableId"
    ),
    "ec2 security groups": lambda: names(
        client("ec2").describe_security_groups(Filters=not_default_vpc())["SecurityGroups"], "GroupName"
    ),
    "ec2 subnets": lambda: names(client("ec2").describe_subnets(Filters=not_default_vpc())["Subnets"], "SubnetId"),
    "ec2 vpcs": lambda: names(
        client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"], "VpcId"
    ),
    "ecs clusters": ecs_clusters,
    "ecs services": ecs_services,
    "ecs task definitions": lambda: client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
    "events rules": lambda: names(client("events").list_rules()["Rules"], "Name"),
    "firehose streams": lambda: client("firehose").list_delivery_streams(Limit=100)["DeliveryStreamNames"],
    "glue databases": lambda: names(client("glue").get_databases()["DatabaseList"], "Name"),
    "glue jobs": lambda: names(client("glue").get_jobs()["Jobs"], "Name"),
    "glue security configurations": lambda: names(
        client("glue").get_security_configurations()["SecurityConfigurations"], "Name"
    ),
    "glue tables": tables_of_catalog,
    "iam roles": lambda: names(everything("iam", "list_roles", "Roles"), "RoleName"),
    "kms aliases": lambda: [
        name for name in names(everything("kms", "list_aliases", "Aliases"), "AliasName") if "alias/aws/" not in name
    ],
    "kms keys": customer_keys,
    "lambda functions": lambda: names(everything("lambda", "list_functions", "Functions"), "FunctionName"),
    "lambda permissions": of_functions,
    "logs groups": lambda: names(everything("logs", "describe_log_groups", "logGroups"), "logGroupName"),
    "logs resource policies": lambda: names(
        client("logs").describe_resource_policies()["resourcePolicies"], "policyName"
    ),
    "msk clusters": lambda: names(client("kafka").list_clusters()["ClusterInfoList"], "ClusterName"),
    "msk configurations": lambda: names(client("kafka").list_configurations()["Configurations"], "Name"),
    "msk scram secrets": lambda: of_clusters("list_scram_secrets", "SecretArnList"),
    "msk topics": lambda: names(of_clusters("list_topics", "Topics"), "TopicName"),
    "pipes": lambda: names(client("pipes").list_pipes()["Pipes"], "Name"),
    "rds instances": lambda: names(client("rds").describe_db_instances()["DBInstances"], "DBInstanceIdentifier"),
    "rds parameter groups": lambda: [
        name
        for name in names(client("rds").describe_db_parameter_groups()["DBParameterGroups"], "DBParameterGroupName")
        if not name.startswith("default.")
    ],
    "rds snapshots": lambda: names(
        client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"], "DBSnapshotIdentifier"
    ),
    "rds subnet groups": lambda: names(
        client("rds").describe_db_subnet_groups()["DBSubnetGroups"], "DBSubnetGroupName"
    ),
    "s3 buckets": lambda: names(client("s3").list_buckets()["Buckets"], "Name"),
    "scheduler schedules": lambda: names(client("scheduler").list_schedules()["Schedules"], "Name"),
    "secrets": lambda: names(client("secretsmanager").list_secrets()["SecretList"], "Name"),
    "servicediscovery namespaces": lambda: names(client("servicediscovery").list_namespaces()["Namespaces"], "Name"),
    "servicediscovery services": lambda: names(client("servicediscovery").list_services()["Services"], "Name"),
    "sns subscriptions": lambda: names(client("sns").list_subscriptions()["Subscriptions"], "SubscriptionArn"),
    "sns topics": lambda: names(client("sns").list_topics()["Topics"], "TopicArn"),
    "sqs queues": lambda: client("sqs").list_queues().get("QueueUrls", []),
    "ssm parameters": lambda: names(client("ssm").describe_parameters()["Parameters"], "Name"),
    "state machines": lambda: names(client("stepfunctions").list_state_machines()["stateMachines"], "name"),
}

if __name__ == "__main__":
    print(json.dumps({what: sorted(listed()) for what, listed in LISTS.items()}, indent=1))
