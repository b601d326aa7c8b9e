"""Amazon S3: buckets and their policies.

Objects lie in the endpoint's folder, where Spark finds them; how a bucket is set up is moto's to keep. So a bucket is
made in both, and the endpoint asks moto for what is not about objects.
"""

from collections.abc import Callable
from typing import Any

from ..api import Properties, call
from ..resource import Context, Live, Made, ResourceType

_AS_THEY_ARE = {
    "PublicAccessBlockConfiguration": ("put_public_access_block", "PublicAccessBlockConfiguration"),
    "VersioningConfiguration": ("put_bucket_versioning", "VersioningConfiguration"),
    "OwnershipControls": ("put_bucket_ownership_controls", "OwnershipControls"),
}


def _create(context: Context, properties: Properties) -> Made:
    name = (properties.get("BucketName") or context.unique_name(63)).lower()
    context.call("s3", "create_bucket", {"Bucket": name})
    _configure(context, "create_bucket", {"Bucket": name})
    _set(context, name, properties)
    attributes = {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{context.region}.amazonaws.com",
    }
    return Made(name, attributes)


def _configure(context: Context, operation: str, parameters: Properties) -> None:
    call(context.services.client("s3", context.services.moto_url), operation, parameters)


def _set(context: Context, name: str, properties: Properties) -> None:
    for key, (operation, parameter) in _AS_THEY_ARE.items():
        if key in properties:
            _configure(context, operation, {"Bucket": name, parameter: properties[key]})
    for key, put in _SETTERS.items():
        if key in properties:
            put(context, name, properties[key])


def _set_encryption(context: Context, name: str, given: Properties) -> None:
    renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    rules = [
        {renamed.get(key, key): item for key, item in rule.items()}
        for rule in given["ServerSideEncryptionConfiguration"]
    ]
    taken = {"Bucket": name, "ServerSideEncryptionConfiguration": {"Rules": rules}}
    _configure(context, "put_bucket_encryption", taken)


def _set_lifecycle(context: Context, name: str, given: Properties) -> None:
    rules = [_lifecycle_rule(rule) for rule in given["Rules"]]
    taken = {"Bucket": name, "LifecycleConfiguration": {"Rules": rules}}
    _configure(context, "put_bucket_lifecycle_configuration", taken)


def _lifecycle_rule(rule: Properties) -> Properties:
    """CloudFormation writes a rule flat, the API in parts."""
    parts = {key: rule[key] for key in ("Status", "AbortIncompleteMultipartUpload") if key in rule}
    parts |= {"ID": rule["Id"]} if "Id" in rule else {}
    parts["Filter"] = {"Prefix": rule.get("Prefix", "")}
    if "ExpirationInDays" in rule:
        parts["Expiration"] = {"Days": rule["ExpirationInDays"]}
    elif rule.get("ExpiredObjectDeleteMarker"):
        parts["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if "Transitions" in rule:
        parts["Transitions"] = [
            {"StorageClass": step["StorageClass"], "Days": step.get("TransitionInDays", 0)}
            for step in rule["Transitions"]
        ]
    old = rule.get("NoncurrentVersionExpiration")
    if old is not None:
        parts["NoncurrentVersionExpiration"] = old
    return parts


def _set_tags(context: Context, name: str, given: list[Properties]) -> None:
    _configure(context, "put_bucket_tagging", {"Bucket": name, "Tagging": {"TagSet": given}})


_SETTERS: dict[str, Callable[[Context, str, Any], None]] = {
    "BucketEncryption": _set_encryption,
    "LifecycleConfiguration": _set_lifecycle,
    "Tags": _set_tags,
}


def _update(context: Context, live: Live, properties: Properties) -> Made:
    _set(context, live.physical_id, properties)
    return Made(live.physical_id, live.attributes)


def _delete(context: Context, live: Live) -> None:
    """A bucket that holds objects is refused, as by CloudFormation."""
    context.call("s3", "delete_bucket", {"Bucket": live.physical_id})
    _configure(context, "delete_bucket", {"Bucket": live.physical_id})


def _put_policy(context: Context, properties: Properties) -> Made:
    taken = {"Bucket": properties["Bucket"], "Policy": properties["PolicyDocument"]}
    _configure(context, "put_bucket_policy", taken)
    return Made(properties["Bucket"])


def _update_policy(context: Context, live: Live, properties: Properties) -> Made:
    return _put_policy(context, properties)


def _delete_policy(context: Context, live: Live) -> None:
    _configure(context, "delete_bucket_policy", {"Bucket": live.physical_id})


TYPES = {
    "AWS::S3::Bucket": ResourceType(_create, _delete, _update, frozenset(["BucketName"])),
    "AWS::S3::BucketPolicy": ResourceType(_put_policy, _delete_policy, _update_policy, frozenset(["Bucket"])),
}
