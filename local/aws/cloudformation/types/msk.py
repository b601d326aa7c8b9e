"""Amazon MSK: clusters, configurations, topics, SCRAM secrets."""

from moto.kafka.models import FakeKafkaCluster, kafka_backends

from ..api import Properties
from ..resource import ACCOUNT, Context, Live, Made, ResourceType


def _named_arn(cluster: FakeKafkaCluster) -> str:
    """`cluster/<name>/<id>`: moto leaves the name out, and what takes the id from the third part finds nothing."""
    return (
        f"arn:aws:kafka:{cluster.region_name}:{cluster.account_id}:cluster/{cluster.cluster_name}/{cluster.cluster_id}"
    )


FakeKafkaCluster._generate_arn = _named_arn  # pyright: ignore


def _create_cluster(context: Context, properties: Properties) -> Made:
    """moto would leave a cluster CREATING for ever; CloudFormation ends with one that is ACTIVE."""
    arn = context.call("kafka", "create_cluster", properties)["ClusterArn"]
    kafka_backends[ACCOUNT][context.region].clusters[arn].state = "ACTIVE"
    return Made(arn, {"Arn": arn, "CurrentVersion": "K1"})


def _update_cluster(context: Context, live: Live, properties: Properties) -> Made:
    named = {"ClusterArn": live.physical_id, "CurrentVersion": live.attributes["CurrentVersion"]}
    if properties.get("ConfigurationInfo") != live.properties.get("ConfigurationInfo"):
        taken = {**named, "ConfigurationInfo": properties["ConfigurationInfo"]}
        context.call("kafka", "update_cluster_configuration", taken)
    return Made(live.physical_id, live.attributes)


def _delete_cluster(context: Context, live: Live) -> None:
    named = {"ClusterArn": live.physical_id, "CurrentVersion": live.attributes["CurrentVersion"]}
    context.call("kafka", "delete_cluster", named)


def _configuration(properties: Properties) -> Properties:
    renamed = {"KafkaVersionsList": "KafkaVersions"}
    taken = {renamed.get(name, name): item for name, item in properties.items()}
    return {**taken, "ServerProperties": properties["ServerProperties"].encode()}


def _create_configuration(context: Context, properties: Properties) -> Made:
    answer = context.call("kafka", "create_configuration", _configuration(properties))
    return Made(answer["Arn"], _revision(answer))


def _revision(answer: Properties) -> Properties:
    return {"Arn": answer["Arn"], "LatestRevision.Revision": answer["LatestRevision"]["Revision"]}


def _update_configuration(context: Context, live: Live, properties: Properties) -> Made:
    taken = {name: item for name, item in _configuration(properties).items() if name not in ("Name", "KafkaVersions")}
    answer = context.call("kafka", "update_configuration", {**taken, "Arn": live.physical_id})
    return Made(live.physical_id, _revision(answer))


def _delete_configuration(context: Context, live: Live) -> None:
    context.call("kafka", "delete_configuration", {"Arn": live.physical_id})


def _create_topic(context: Context, properties: Properties) -> Made:
    context.call("kafka", "create_topic", properties)
    arn = f"{properties['ClusterArn'].replace(':cluster/', ':topic/')}/{properties['TopicName']}"
    return Made(arn, {"TopicArn": arn})


def _of_topic(live: Live) -> Properties:
    return {name: live.properties[name] for name in ("ClusterArn", "TopicName")}


def _update_topic(context: Context, live: Live, properties: Properties) -> Made:
    changed = {
        name: properties[name]
        for name in ("Configs", "PartitionCount")
        if properties.get(name) != live.properties.get(name)
    }
    context.call("kafka", "update_topic", {**changed, **_of_topic(live)})
    return Made(live.physical_id, live.attributes)


def _delete_topic(context: Context, live: Live) -> None:
    context.call("kafka", "delete_topic", _of_topic(live))


def _associate(context: Context, properties: Properties) -> Made:
    context.call("kafka", "batch_associate_scram_secret", properties)
    return Made(properties["ClusterArn"])


def _reassociate(context: Context, live: Live, properties: Properties) -> Made:
    gone = sorted(set(live.properties["SecretArnList"]) - set(properties["SecretArnList"]))
    if gone:
        taken = {"ClusterArn": live.physical_id, "SecretArnList": gone}
        context.call("kafka", "batch_disassociate_scram_secret", taken)
    return _associate(context, properties)


def _dissociate(context: Context, live: Live) -> None:
    context.call("kafka", "batch_disassociate_scram_secret", live.properties)


def _put_policy(context: Context, properties: Properties) -> Made:
    context.call("kafka", "put_cluster_policy", properties)
    return Made(properties["ClusterArn"])


def _update_policy(context: Context, live: Live, properties: Properties) -> Made:
    return _put_policy(context, properties)


def _delete_policy(context: Context, live: Live) -> None:
    context.call("kafka", "delete_cluster_policy", {"ClusterArn": live.physical_id})


TYPES = {
    "AWS::MSK::Cluster": ResourceType(
        _create_cluster, _delete_cluster, _update_cluster, frozenset(["ClusterName", "ClientAuthentication"])
    ),
    "AWS::MSK::Configuration": ResourceType(
        _create_configuration, _delete_configuration, _update_configuration, frozenset(["Name", "KafkaVersionsList"])
    ),
    "AWS::MSK::Topic": ResourceType(
        _create_topic, _delete_topic, _update_topic, frozenset(["ClusterArn", "TopicName", "ReplicationFactor"])
    ),
    "AWS::MSK::BatchScramSecret": ResourceType(_associate, _dissociate, _reassociate, frozenset(["ClusterArn"])),
    "AWS::MSK::ClusterPolicy": ResourceType(_put_policy, _delete_policy, _update_policy, frozenset(["ClusterArn"])),
}
