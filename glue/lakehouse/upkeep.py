"""What keeps one Iceberg table small and fast: joined files, expired snapshots, no orphans. No step changes a row.

Every step but the last looks first, at metadata alone, whether there is anything to do. The steps are Iceberg's own
actions, through its Java API: SQL procedures can't name properties of the snapshot that they make.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from lakehouse.iceberg import IcebergTable
from lakehouse.report import Upkeep
from lakehouse.silver.target import KEY

ORPHAN_AGE = timedelta(days=3)
"""A file without a snapshot is an orphan at that age only: younger ones may be a commit's that is under way."""
MIN_INPUT_FILES = 5
"""Small files (or delete files) from which on it is worth joining them; fewer cost less than they would to rewrite."""
DELETED_SHARE = "0.1"
"""Share of deleted rows from which on a data file is written again without them."""
MAX_FILES = 5000
"""Data files that one run joins in a table, so that a long neglected one can't take all of the time."""
SMALL_MANIFEST = 4 << 20
MANY_MANIFESTS = 10
_CONFLICT_TRIES = 2
log = logging.getLogger("lakehouse")


def compact(table: IcebergTable, done: Upkeep) -> None:
    """Joins small data files and writes those again of which many rows are deleted, then joins delete files.

    Another writer's commit in between makes Iceberg refuse this one; it is tried once more on what is there then.
    Raises Iceberg's error when that fails too: the table is as it was.
    """
    if _count(table, "total-data-files") >= MIN_INPUT_FILES or _count(table, "total-delete-files"):
        _on_conflict_again(lambda: _join_data_files(table, done))
    # Delete files of data files that are no more would go on being read, and counted as deleted rows.
    if _count(table, "total-delete-files") and (done.files_joined or _has_many_delete_files(table)):
        _on_conflict_again(lambda: _join_delete_files(table, done))


def join_manifests(table: IcebergTable, done: Upkeep) -> None:
    """Joins small manifests, one or more a commit, which every reader has to open."""
    small = f"SELECT count_if(length < {SMALL_MANIFEST}) AS small FROM {table.name}.manifests"
    if table.spark.sql(small).collect()[0].small < MANY_MANIFESTS:
        return
    made = _keeping_properties(table, _actions(table).rewriteManifests(table.java())).execute()
    done.manifests_joined += _size(made.rewrittenManifests())


def expire_snapshots(table: IcebergTable, done: Upkeep, older_than: datetime) -> None:
    """Forgets snapshots older than that moment and deletes the files that only they had.

    Every branch's newest snapshot stays, and so does every tag's, however old: what layers have consumed.
    """
    millis = int(older_than.timestamp() * 1000)
    expired = (
        f"SELECT count(*) AS expired FROM {table.name}.snapshots WHERE unix_millis(committed_at) < {millis} "
        f"AND snapshot_id NOT IN (SELECT snapshot_id FROM {table.name}.refs)"
    )
    found = table.spark.sql(expired).collect()[0].expired
    if not found:
        return
    result = _actions(table).expireSnapshots(table.java()).expireOlderThan(millis).execute()
    done.snapshots_expired += found
    done.files_deleted += (
        result.deletedDataFilesCount() + result.deletedPositionDeleteFilesCount() + result.deletedManifestsCount()
    )


def delete_orphans(table: IcebergTable, done: Upkeep, now: datetime) -> None:
    """Deletes files in the table's folder that no snapshot knows: what writers that died have left."""
    limit = int((now - ORPHAN_AGE).timestamp() * 1000)
    # Through the table's own file access: on S3 there need be no other.
    action = _actions(table).deleteOrphanFiles(table.java()).usePrefixListing(True).olderThan(limit)
    done.orphans_deleted += _size(action.execute().orphanFileLocations())


def _join_data_files(table: IcebergTable, done: Upkeep) -> None:
    java = table.java()
    action = _keeping_properties(table, _actions(table).rewriteDataFiles(java))
    options = {
        "min-input-files": str(MIN_INPUT_FILES),
        "delete-ratio-threshold": DELETED_SHARE,
        "max-files-to-rewrite": str(MAX_FILES),
    }
    for name, value in options.items():
        action = action.option(name, value)
    result = _in_key_order(table, java, action).execute()
    done.files_joined += result.rewrittenDataFilesCount()
    done.files_made += result.addedDataFilesCount()
    done.bytes_rewritten += result.rewrittenBytesCount()


def _in_key_order(table: IcebergTable, java: Any, action: Any) -> Any:
    """Silver's merges read few files because each file holds a range of keys: joined ones must, too."""
    key = json.loads(table.properties().get(KEY) or "[]")
    if not key:
        return action.binPack()
    order = _jvm(table).org.apache.iceberg.SortOrder.builderFor(java.schema())
    for column in key:
        order = order.asc(column)
    return action.sort(order.build())


def _join_delete_files(table: IcebergTable, done: Upkeep) -> None:
    action = _keeping_properties(table, _actions(table).rewritePositionDeletes(table.java()))
    result = action.option("rewrite-all", "true").execute()
    done.files_joined += result.rewrittenDeleteFilesCount()
    done.files_made += result.addedDeleteFilesCount()
    done.bytes_rewritten += result.rewrittenBytesCount()


def _has_many_delete_files(table: IcebergTable) -> bool:
    """More than there need be: one a data file is what merges leave, for they join a data file's deletes themselves."""
    return _count(table, "total-delete-files") >= MIN_INPUT_FILES + _count(table, "total-data-files")


def _keeping_properties(table: IcebergTable, action: Any) -> Any:
    """The new snapshot carries on the properties that the engine gave to the last one."""
    for name, value in table.summary().items():
        if name.startswith("cdc."):
            action = action.snapshotProperty(name, value)
    return action


def _on_conflict_again(work: Callable[[], None]) -> None:
    for left in reversed(range(_CONFLICT_TRIES)):
        try:
            return work()
        except Exception as error:
            if not left or "Cannot commit" not in str(error):
                raise
            log.warning("another writer was faster, the files are joined again: %s", str(error)[:500])
    return None


def _count(table: IcebergTable, what: str) -> int:
    return int(table.summary().get(what, "0"))


def _actions(table: IcebergTable) -> Any:
    session = cast(Any, table.spark)._jsparkSession
    # Iceberg looks for the session in its thread, and this may be one that Spark did not see yet.
    _jvm(table).org.apache.spark.sql.SparkSession.setActiveSession(session)
    return _jvm(table).org.apache.iceberg.spark.actions.SparkActions.get(session)


def _jvm(table: IcebergTable) -> Any:
    return cast(Any, table.spark)._jvm


def _size(java_iterable: Any) -> int:
    return sum(1 for _ in java_iterable)
