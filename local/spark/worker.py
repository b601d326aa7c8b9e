"""The twin's Glue: one warm Spark session that runs glue/'s jobs, one at a time, and answers queries.

HTTP on 127.0.0.1 (docs/architecture.md, The twin's endpoints). Ends itself when the process that started it is gone.
"""

import argparse
import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

PROJECT_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT_ROOT / "glue"), str(Path(__file__).resolve().parent)]

os.environ["TZ"] = "UTC"  # collect() turns timestamps into local time
time.tzset()

from query import QueryError, run_query, use_database  # noqa: E402

from job import run_layer  # noqa: E402
from lakehouse.run import arguments, open_run  # noqa: E402
from lakehouse.session import local_session  # noqa: E402
from lakehouse.storage import S3Store  # noqa: E402

KEPT_RUNS = 1000
RESTART_EXIT_CODE = 75
PARENT_CHECK_SECONDS = 1.0
log = logging.getLogger("worker")


class AlreadyRunningError(Exception):
    """The job has a run that has not ended; Glue says ConcurrentRunsExceededException."""


class Worker:
    """Runs jobs one after the other; a second run of a job that is not done is refused."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.spark: Any = None
        self.ready = threading.Event()
        self.runs: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.waiting: queue.Queue[Callable[[], None]] = queue.Queue()
        self.lock = threading.Lock()
        self.store = S3Store(options.bucket)

    def start_session(self) -> None:
        """Opens the session and takes jobs from then on."""
        o = self.options
        o.scratch.mkdir(parents=True, exist_ok=True)
        self.spark = local_session(
            jars=o.jars,
            catalog_db=o.catalog,
            warehouse=o.warehouse,
            scratch=o.scratch,
            cores=o.cores,
            memory=o.memory,
        )
        self.spark.sparkContext.setLogLevel("ERROR")
        self.waiting.put(self.warm_up)
        self.ready.set()
        while True:
            self.waiting.get()()

    def warm_up(self) -> None:
        """Lets the JVM load and compile what every run uses, on a table of its own, while nobody waits yet."""
        began = time.monotonic()
        table = "glue_catalog.warm_up.t"
        for statement in (
            "CREATE NAMESPACE IF NOT EXISTS glue_catalog.warm_up",
            f"DROP TABLE IF EXISTS {table} PURGE",
            f"CREATE TABLE {table} (id bigint, v string) USING iceberg TBLPROPERTIES "
            "('format-version' = '2', 'write.merge.mode' = 'merge-on-read', 'write.distribution-mode' = 'none')",
            f"INSERT INTO {table} VALUES (1, '{{}}'), (2, '{{}}')",
            f"ALTER TABLE {table} CREATE OR REPLACE BRANCH b",
            f"MERGE INTO {table}.branch_b t USING (SELECT id, max_by(v, id) v FROM {table} GROUP BY id) s "
            "ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
            f"SELECT count(*), from_json(max(v), 'a string') FROM {table}.branch_b",
            f"DROP TABLE {table} PURGE",
        ):
            self.spark.sql(statement).collect()
        log.info("warm after %.1f s", time.monotonic() - began)

    def submit(self, job: str, args: dict[str, str]) -> str:
        """Puts a run in the line. Raises AlreadyRunningError, or ValueError for wrong arguments."""
        wanted = arguments({name.removeprefix("--"): value for name, value in args.items()})
        with self.lock:
            if any(r["job"] == job and r["state"] == "RUNNING" for r in self.runs.values()):
                raise AlreadyRunningError(f"{job} has a run that has not ended")
            run_id = f"jr_{uuid.uuid4().hex}"
            self.runs[run_id] = {
                "id": run_id,
                "job": job,
                "args": args,
                "state": "RUNNING",
                "error": None,
                "started_at": _now(),
                "finished_at": None,
            }
            while len(self.runs) > KEPT_RUNS:
                self.runs.popitem(last=False)

        def work() -> None:
            began = time.monotonic()
            try:
                run_layer(open_run(self.spark, wanted, self.store))
                self._end(run_id, "SUCCEEDED", None)
            except Exception as error:
                log.error("%s of run %s failed: %s", job, wanted.run_id, traceback.format_exc())
                self._end(run_id, "FAILED", f"{type(error).__name__}: {error}"[:4000])
            log.info("%s of run %s took %.2f s", job, wanted.run_id, time.monotonic() - began)

        self.waiting.put(work)
        return run_id

    def _end(self, run_id: str, state: str, error: str | None) -> None:
        with self.lock:
            run = self.runs.get(run_id)
            if run and run["state"] == "RUNNING":
                run.update(state=state, error=error, finished_at=_now())

    def stop(self, run_id: str) -> None:
        """Stops a run the hard way, for Spark can't end a job in the middle: the process ends and is started again."""
        self._end(run_id, "STOPPED", None)
        log.info("ending to stop %s", run_id)
        threading.Timer(0.2, os._exit, [RESTART_EXIT_CODE]).start()


def _now() -> float:
    return time.time()


class Api(BaseHTTPRequestHandler):
    """The HTTP interface; `worker` is set by serve()."""

    worker: Worker
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: there are several a second."""

    def do_GET(self) -> None:
        path = urlparse(self.path)
        parts = path.path.strip("/").split("/")
        if parts == ["health"]:
            self._answer(200, {"status": "ready" if self.worker.ready.is_set() else "starting"})
        elif parts == ["runs"]:
            job = parse_qs(path.query).get("job", [None])[0]
            with self.worker.lock:
                found = [dict(r) for r in self.worker.runs.values() if job in (None, r["job"])]
            self._answer(200, {"runs": found[::-1]})
        elif len(parts) == 2 and parts[0] == "runs":
            with self.worker.lock:
                run = self.worker.runs.get(parts[1])
                body = dict(run) if run else None
            self._answer(*((200, body) if body else (404, {"error": f"no run {parts[1]}"})))
        else:
            self._answer(404, {"error": f"no resource {path.path}"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        parts = urlparse(self.path).path.strip("/").split("/")
        if not self.worker.ready.is_set():
            self._answer(503, {"error": "Spark is still starting; try again in a few seconds"})
        elif parts == ["runs"]:
            self._submit(body)
        elif len(parts) == 3 and parts[0] == "runs" and parts[2] == "stop":
            self._answer(202, {"id": parts[1]})
            self.worker.stop(parts[1])
        elif parts == ["query"]:
            self._query(body)
        else:
            self._answer(404, {"error": f"no resource {self.path}"})

    def _submit(self, body: dict[str, Any]) -> None:
        try:
            self._answer(200, {"id": self.worker.submit(body["job"], body.get("args", {}))})
        except AlreadyRunningError as error:
            self._answer(409, {"error": str(error)})
        except (KeyError, ValueError) as error:
            self._answer(400, {"error": f"wrong job arguments: {error}"})

    def _query(self, body: dict[str, Any]) -> None:
        try:
            self._answer(200, run_query(self.worker.spark, body["sql"], int(body.get("limit", 1000))))
        except QueryError as error:
            self._answer(400, {"error": str(error)})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def end_with_parent() -> None:
    """Ends the process, and with it the JVM that reads its pipe, when the parent has gone."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(0)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bucket", required=True, help="bucket of landing zone and reports")
    parser.add_argument("--database", required=True, help="the current database of queries")
    parser.add_argument("--jars", type=Path, required=True, help="folder with the Iceberg runtime and SQLite's driver")
    parser.add_argument("--catalog", type=Path, required=True, help="SQLite file of the Iceberg catalog")
    parser.add_argument("--warehouse", type=Path, required=True, help="folder of the Iceberg tables")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for Spark's temporary files")
    parser.add_argument("--cores", type=int, default=max(1, min(4, os.cpu_count() or 2)))
    parser.add_argument("--memory", default="1g", help="heap of the JVM")
    return parser.parse_args()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("SQLQueryContextLogger").disabled = True  # a whole stack trace as JSON for each failed query
    logging.getLogger("py4j").setLevel(logging.WARNING)
    options = parse_options()
    worker = Worker(options)
    use_database(options.database)
    Api.worker = worker
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=end_with_parent, daemon=True).start()
    worker.start_session()


if __name__ == "__main__":
    main()
