"""S3 through boto3, and the run's files (sql/, tables.yml) from S3 or from a folder."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import boto3

from lakehouse.report import StoredObject


class S3Store:
    """ObjectStore on one bucket."""

    def __init__(self, bucket: str, client: Any | None = None) -> None:
        self.bucket = bucket
        self.client: Any = client or boto3.client("s3")

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def list(self, prefix: str, start_after: str = "") -> list[StoredObject]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, **({"StartAfter": start_after} if start_after else {})
        )
        return [
            StoredObject(o["Key"], o["LastModified"], o["Size"]) for page in pages for o in page.get("Contents", [])
        ]


class FolderAssets:
    """Assets on the local disk: `root` holds sql/ and tables.yml."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def list(self, folder: str) -> list[str]:
        files = (p for p in (self.root / folder).rglob("*") if p.is_file())
        return sorted(p.relative_to(self.root).as_posix() for p in files)


class S3Assets:
    """Assets under a prefix of a bucket; each file is read once."""

    def __init__(self, store: S3Store, prefix: str) -> None:
        self.store = store
        self.prefix = prefix.strip("/") + "/"
        self._texts: dict[str, str] = {}

    def text(self, path: str) -> str:
        if path not in self._texts:
            body = self.store.get(self.prefix + path)
            if body is None:
                raise FileNotFoundError(f"s3://{self.store.bucket}/{self.prefix}{path}")
            self._texts[path] = body.decode()
        return self._texts[path]

    def list(self, folder: str) -> list[str]:
        found = self.store.list(f"{self.prefix}{folder.strip('/')}/")
        return [o.key[len(self.prefix) :] for o in found]


def open_assets(uri: str) -> FolderAssets | S3Assets:
    """Assets from `s3://bucket/prefix`, `file:///folder` or a plain folder path."""
    parsed = urlparse(uri)
    if parsed.scheme in ("s3", "s3a"):
        return S3Assets(S3Store(parsed.netloc), parsed.path)
    return FolderAssets(Path(unquote(parsed.path) if parsed.scheme == "file" else uri))
