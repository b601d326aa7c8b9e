"""What the jobs' boto3 asks of S3, against the endpoint given as argument; prints `as S3 does` at the end."""

import io
import sys
from datetime import timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "lake-boto3"


def main(endpoint: str) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 0}),
    )
    s3.create_bucket(Bucket=BUCKET)
    keys = [f"landing/public.users/2026/01/31/{hour:02}/ä {n} +%&<>.gz" for hour in (22, 23) for n in range(3)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    s3.upload_fileobj(io.BytesIO(b"0123456789"), BUCKET, "streamed")

    body = s3.get_object(Bucket=BUCKET, Key=keys[0])["Body"].read()
    assert body == keys[0].encode(), body
    ranged = s3.get_object(Bucket=BUCKET, Key="streamed", Range="bytes=2-4")
    assert (ranged["Body"].read(), ranged["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert s3.head_object(Bucket=BUCKET, Key="streamed")["ContentLength"] == 10

    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="landing/", StartAfter=keys[1], PaginationConfig={"PageSize": 2}
    )
    listed = [found for page in pages for found in page.get("Contents", [])]
    assert [found["Key"] for found in listed] == keys[2:], listed
    assert listed[0]["LastModified"].tzinfo is not None
    assert listed[0]["LastModified"].astimezone(timezone.utc).microsecond == 0
    folders = s3.list_objects_v2(Bucket=BUCKET, Prefix="landing/public.users/2026/01/31/", Delimiter="/")
    assert [p["Prefix"][-3:] for p in folders["CommonPrefixes"]] == ["22/", "23/"], folders

    try:
        s3.get_object(Bucket=BUCKET, Key="nothing")
        raise AssertionError("a missing key was found")
    except s3.exceptions.NoSuchKey:
        pass
    try:
        s3.list_objects_v2(Bucket="no-bucket")
        raise AssertionError("a missing bucket was found")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchBucket", error

    deleted = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    assert [found["Key"] for found in deleted["Deleted"]] == keys
    s3.delete_object(Bucket=BUCKET, Key="streamed")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    print("as S3 does")


main(sys.argv[1])
