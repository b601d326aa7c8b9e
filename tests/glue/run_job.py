"""Runs one layer in a process of its own, for tests that kill it: python run_job.py <settings as JSON>."""

import json
import logging
import sys
from pathlib import Path

from job import run_layer
from lake import FolderStore
from lakehouse.run import Arguments, open_run
from lakehouse.session import local_session


def main() -> None:
    logging.getLogger("SQLQueryContextLogger").disabled = True
    settings = json.loads(sys.argv[1])
    session = settings["session"]
    folders = {name: Path(session[name]) for name in ("jars", "catalog_db", "warehouse", "scratch")}
    spark = local_session(**folders, cores=2, memory=session["memory"])
    spark.sparkContext.setLogLevel("ERROR")
    given = settings["arguments"]
    arguments = Arguments(**{**given, "tables": tuple(given["tables"]), "models": tuple(given["models"])})
    run_layer(open_run(spark, arguments, FolderStore(Path(settings["bucket"]))))
    spark.stop()


if __name__ == "__main__":
    main()
