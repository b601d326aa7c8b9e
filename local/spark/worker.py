"""The twin's Glue: one warm Spark session that runs glue/'s jobs, one at a time, and answers queries.

HTTP on 127.0.0.1 (docs/architecture.md, The twin's endpoints). It ends itself, and its JVM, when the process that
started it is gone or when the JVM is; whoever started it starts it again.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CODE = os.environ.get("LAKEHOUSE_CODE", str(PROJECT_ROOT / "glue")).split(os.pathsep)
"""Where `job` and `lakehouse` are imported from; an archive will do, as for Glue's --extra-py-files."""
sys.path[:0] = [*CODE, str(Path(__file__).resolve().parent)]

os.environ["TZ"] = "UTC"  # collect() turns timestamps into local time
time.tzset()

from job_line import AlreadyRunningError, JobLine, NoRunError  # noqa: E402
from pyspark import SparkContext  # noqa: E402
from query import Queries, QueryError  # noqa: E402
from warm_up import warm_up  # noqa: E402

from job import run_layer  # noqa: E402
from lakehouse.run import Arguments, open_run  # noqa: E402
from lakehouse.session import local_session  # noqa: E402
from lakehouse.storage import S3Store  # noqa: E402

RESTART_EXIT_CODE = 75  # EX_TEMPFAIL: start it again
MAX_CORES = 4
WATCH_SECONDS = 0.5
STOP_GRACE_SECONDS = 0.2
BODY_BYTES = 1 << 20
log = logging.getLogger("worker")


class Worker:
    """The session, the line of jobs and the queries; `queries` is None until the session is open."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.line = JobLine(self._execute, self._kill)
        self.queries: Queries | None = None
        self._store = S3Store(options.bucket)

    def work(self) -> None:
        """Opens the session, then runs jobs for ever."""
        o = self.options
        self.spark = local_session(o.jars, o.catalog, o.warehouse, o.scratch, o.cores, o.memory)
        self.spark.sparkContext.setLogLevel("ERROR")
        self.queries = Queries(self.spark, o.database)
        log.info("ready on port %d with %d cores and a heap of %s", o.port, o.cores, o.memory)
        warm_up(self.spark, self.line.idle)
        self.line.work()

    def _execute(self, wanted: Arguments) -> None:
        run_layer(open_run(self.spark, wanted, self._store))

    def _kill(self, reason: str) -> None:
        """Ends the process once the answer to the request is out."""
        threading.Timer(STOP_GRACE_SECONDS, end, [RESTART_EXIT_CODE, reason]).start()


class Api(BaseHTTPRequestHandler):
    """The HTTP interface; `worker` is set by main()."""

    worker: Worker
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: there are several a second."""

    def do_GET(self) -> None:
        path = urlparse(self.path)
        line = self.worker.line
        match path.path.strip("/").split("/"):
            case ["health"]:
                self._answer(200, {"status": "ready" if self.worker.queries else "starting"})
            case ["runs"]:
                self._answer(200, {"runs": line.of_job(parse_qs(path.query).get("job", [None])[0])})
            case ["runs", run_id]:
                run = line.find(run_id)
                self._answer(*((200, run) if run else (404, {"error": f"no run {run_id}"})))
            case _:
                self._answer(404, {"error": f"no resource {path.path}"})

    def do_POST(self) -> None:
        try:
            body = self._body()
            match urlparse(self.path).path.strip("/").split("/"):
                case ["runs"] | ["query"] if self.worker.queries is None:
                    self._answer(503, {"error": "Spark is still starting; try again in a few seconds"})
                case ["runs"]:
                    self._answer(200, {"id": self.worker.line.submit(body["job"], body.get("args", {}))})
                case ["runs", run_id, "stop"]:
                    self.worker.line.stop(run_id)
                    self._answer(202, {"id": run_id})
                case ["query"]:
                    assert self.worker.queries
                    self._answer(200, self.worker.queries.run(body["sql"], int(body.get("limit", 1000))))
                case _:
                    self._answer(404, {"error": f"no resource {self.path}"})
        except AlreadyRunningError as error:
            self._answer(409, {"error": str(error)})
        except NoRunError as error:
            self._answer(404, {"error": str(error)})
        except KeyError as error:
            self._answer(400, {"error": f"the body lacks {error.args[0]!r}"})
        except (QueryError, ValueError) as error:
            self._answer(400, {"error": str(error)})

    def _body(self) -> dict[str, Any]:
        length = int(self.headers.get("content-length", 0))
        if length > BODY_BYTES:
            raise ValueError(f"the body has {length} bytes, at most {BODY_BYTES} are read")
        body = json.loads(self.rfile.read(length) or b"{}")
        if not isinstance(body, dict):
            raise ValueError("the body is no JSON object")
        return body

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def jvm() -> Any:
    """The JVM's process (a Popen), or None before it is started."""
    gateway: Any = SparkContext._gateway
    return getattr(gateway, "proc", None)


def end(code: int, reason: str) -> None:
    """Ends this process and the JVM at once: a JVM left alone could still commit what the next worker cleans up."""
    log.info("ending: %s", reason)
    process = jvm()
    if process is not None:
        process.kill()
    os._exit(code)


def watch(parent: int) -> None:
    """Ends the process when its parent or its JVM has gone."""
    while True:
        if os.getppid() != parent:
            end(0, "the process that started it has gone")
        process = jvm()
        if process is not None and process.poll() is not None:
            end(RESTART_EXIT_CODE, f"the JVM has gone with code {process.returncode}")
        time.sleep(WATCH_SECONDS)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bucket", required=True, help="bucket of landing zone and reports")
    parser.add_argument("--database", required=True, help="the current database of queries")
    parser.add_argument("--jars", type=Path, required=True, help="folder with the Iceberg runtime and SQLite's driver")
    parser.add_argument("--catalog", type=Path, required=True, help="SQLite file of the Iceberg catalog")
    parser.add_argument("--warehouse", type=Path, required=True, help="folder of the Iceberg tables")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for Spark's temporary files")
    parser.add_argument("--cores", type=int, default=min(MAX_CORES, os.cpu_count() or 2))
    parser.add_argument("--memory", default="1g", help="heap of the JVM")
    return parser.parse_args()


def main() -> None:
    parent = os.getppid()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("SQLQueryContextLogger").disabled = True  # a whole stack trace as JSON for each failed query
    logging.getLogger("py4j").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: end(0, "asked to"))
    Api.worker = Worker(parse_options())
    server = ThreadingHTTPServer(("127.0.0.1", Api.worker.options.port), Api)
    server.daemon_threads = True
    threading.Thread(target=watch, args=[parent], daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Api.worker.work()


if __name__ == "__main__":
    main()
