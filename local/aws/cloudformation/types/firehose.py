"""Amazon Data Firehose: delivery streams."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType

_CREATED = ("DeliveryStreamName", "DeliveryStreamType", "ExtendedS3DestinationConfiguration", "Tags")


def _create(context: Context, properties: Properties) -> Made:
    """Encryption of the stream itself is given afterwards, as moto's CreateDeliveryStream doesn't take it."""
    name = properties.get("DeliveryStreamName") or context.unique_name()
    taken = {key: properties[key] for key in _CREATED if key in properties}
    answer = context.call("firehose", "create_delivery_stream", {**taken, "DeliveryStreamName": name})
    _encrypt(context, name, properties)
    return Made(name, {"Arn": answer["DeliveryStreamARN"]})


def _encrypt(context: Context, name: str, properties: Properties) -> None:
    wanted = properties.get("DeliveryStreamEncryptionConfigurationInput")
    if wanted is not None:
        taken = {"DeliveryStreamName": name, "DeliveryStreamEncryptionConfigurationInput": wanted}
        context.call("firehose", "start_delivery_stream_encryption", taken)


def _update(context: Context, live: Live, properties: Properties) -> Made:
    described = context.call("firehose", "describe_delivery_stream", {"DeliveryStreamName": live.physical_id})
    stream = described["DeliveryStreamDescription"]
    context.call(
        "firehose",
        "update_destination",
        {
            "DeliveryStreamName": live.physical_id,
            "CurrentDeliveryStreamVersionId": stream["VersionId"],
            "DestinationId": stream["Destinations"][0]["DestinationId"],
            "ExtendedS3DestinationUpdate": properties["ExtendedS3DestinationConfiguration"],
        },
    )
    _encrypt(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    context.call("firehose", "delete_delivery_stream", {"DeliveryStreamName": live.physical_id})


TYPES = {
    "AWS::KinesisFirehose::DeliveryStream": ResourceType(
        _create, _delete, _update, frozenset(["DeliveryStreamName", "DeliveryStreamType"])
    ),
}
