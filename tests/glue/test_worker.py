"""The Spark worker as the twin starts it: over HTTP, with S3 as moto serves it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from source import Source, compact

ROOT = Path(__file__).resolve().parents[2]
JARS = Path(os.environ.get("CDC_JARS", ROOT / ".jars")) / "spark"
BUCKET = "lake"
START_SECONDS = 300
RUN_SECONDS = 480
ENDED_SECONDS = 120
AWS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port() -> int:
    """A port that nobody listens on, below those that outgoing connections take while its server is not up."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port between 20000 and 32000 in 100 attempts")


def wait_until(what: str, done: Callable[[], Any], seconds: float, log: Path | None = None) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = done()
        if found:
            return found
        time.sleep(0.05)
    tail = log.read_text()[-4000:] if log else ""
    raise AssertionError(f"not within {seconds} s: {what}\n{tail}")


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has waited for does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if line.split()[1] == str(pid)]


class Twin:
    """A worker, its S3 and its folder."""

    def __init__(self, folder: Path, s3: subprocess.Popen[bytes], s3_url: str) -> None:
        self.folder = folder
        self.s3_process = s3
        self.s3 = boto3.client("s3", endpoint_url=s3_url, **{k.lower(): v for k, v in AWS.items() if "KEY" in k})
        self.s3.create_bucket(Bucket=BUCKET)
        self.port = free_port()
        self.log = folder / "worker.log"
        self.environment = {**os.environ, **AWS, "AWS_ENDPOINT_URL": s3_url}

    def command(self) -> list[str]:
        options = {
            "port": self.port,
            "bucket": BUCKET,
            "database": "cdc_demo_w",
            "jars": JARS,
            "catalog": self.folder / "catalog.db",
            "warehouse": self.folder / "warehouse",
            "scratch": self.folder / "scratch",
            "cores": 2,
            "memory": "1g",
        }
        given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return [sys.executable, str(ROOT / "local" / "spark" / "worker.py"), *given]

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(self.command(), env=self.environment, stdout=log, stderr=log)
        self.wait_ready()
        return process

    def wait_ready(self) -> None:
        wait_until("the worker is ready", lambda: self.health() == "ready", START_SECONDS, self.log)

    def health(self) -> str | None:
        try:
            return self.call("GET", "/health")[1]["status"]
        except OSError:
            return None

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def arguments(self, **changes: str) -> dict[str, str]:
        return {
            "--layer": "bronze",
            "--run_id": "run 1",
            "--project": "cdc_demo",
            "--stage": "w",
            "--bucket": BUCKET,
            "--lake_root": (self.folder / "bucket").as_uri(),
            "--assets": str(ROOT),
            **changes,
        }

    def submit(self, job: str, **changes: str) -> tuple[int, Any]:
        return self.call("POST", "/runs", {"job": job, "args": self.arguments(**changes)})

    def outcome(self, run_id: str) -> dict[str, Any]:
        def ended() -> Any:
            run = self.call("GET", f"/runs/{run_id}")[1]
            return None if run["state"] == "RUNNING" else run

        return wait_until(f"{run_id} has ended", ended, RUN_SECONDS, self.log)

    def query(self, sql: str, limit: int = 100) -> tuple[int, Any]:
        return self.call("POST", "/query", {"sql": sql, "limit": limit})

    def land(self, pack: dict[str, Any], key: str) -> None:
        """To S3 and to the folder that S3 shows, which are one in the twin."""
        body = compact(pack).encode()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        path = self.folder / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port, log = free_port(), tmp_path_factory.mktemp("s3") / "moto.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=out, stderr=out)

    def answers() -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    wait_until("moto listens", answers, START_SECONDS, log)
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def twin(s3: tuple[subprocess.Popen[bytes], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """A worker that tests may kill: ask `running` for it."""
    twin = Twin(tmp_path_factory.mktemp("a twin"), *s3)
    yield twin


@pytest.fixture
def running(twin: Twin) -> Iterator[subprocess.Popen[bytes]]:
    process = twin.start()
    yield process
    process.kill()
    process.wait()


def test_runs_jobs_answers_queries_and_ends_when_told(twin: Twin, running: subprocess.Popen[bytes]) -> None:
    topic = Source().table("public.users", [("id", "int", "number")], key=["id"])
    topic.insert({"id": 1})
    topic.insert({"id": 2}, lsn=2**60)
    twin.land(topic.packs()[0], "landing/public.users/2026/01/01/00/a b.json")

    status, started = twin.submit("cdc_demo_w_bronze")
    assert status == 200
    run = twin.outcome(started["id"])
    assert (run["state"], run["error"], run["job"]) == ("SUCCEEDED", None, "cdc_demo_w_bronze")
    assert run["started_at"].endswith("Z") and run["finished_at"] >= run["started_at"]
    assert run["args"]["--run_id"] == "run 1"
    report = json.load(twin.s3.get_object(Bucket=BUCKET, Key="reports/run 1/bronze.json")["Body"])
    assert report["tables"][0]["rows_out"] == 2

    def check_queries() -> None:
        status, answer = twin.query("SELECT `offset`, lsn, kafka_ts FROM cdc_demo_w_bronze_users ORDER BY 1 -- note")
        assert status == 200
        assert [column["type"] for column in answer["columns"]] == ["bigint", "bigint", "timestamp"]
        assert answer["rows"][1][:2] == [1, str(2**60)]
        assert answer["rows"][0][2].endswith("Z")
        sql = (
            "SELECT 1.50BD AS d, DATE '2026-01-02' AS day, X'00ff' AS b, double('NaN') AS f, map(1, array(NULL)) AS m, "
            "named_struct('at', TIMESTAMP '2026-01-02 03:04:05.6Z', 'ntz', TIMESTAMP_NTZ '2026-01-02 03:04:05') AS s"
        )
        moments = {"at": "2026-01-02T03:04:05.600000Z", "ntz": "2026-01-02T03:04:05"}
        assert twin.query(sql)[1]["rows"] == [["1.50", "2026-01-02", "AP8=", "nan", {"1": [None]}, moments]]
        assert len(twin.query("SELECT id FROM range(10)", limit=3)[1]["rows"]) == 3
        assert ["cdc_demo_w_landed"] in [row[1:2] for row in twin.query("SHOW TABLES")[1]["rows"]]

    check_queries()
    for sql, message in [
        ("DROP TABLE cdc_demo_w_landed", "only reading statements"),
        ("/* SELECT */ INSERT INTO cdc_demo_w_landed SELECT * FROM cdc_demo_w_landed", "only reading statements"),
        ("WITH x AS (SELECT 1) INSERT INTO cdc_demo_w_landed SELECT * FROM x", "only reading statements"),
        ("FROM cdc_demo_w_landed INSERT INTO cdc_demo_w_landed SELECT *", "only reading statements"),
        ("SELECT * FROM no_such_table", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELEC 1", "PARSE_SYNTAX_ERROR"),
        ("SELECT raise_error('own words')", "own words"),
    ]:
        status, answer = twin.query(sql)
        assert (status, message in answer["error"]) == (400, True), answer
        assert "\tat " not in answer["error"]
    assert twin.query("SELECT 1", limit=-1)[0] == 400
    assert twin.call("POST", "/query", {})[1] == {"error": "the body lacks 'sql'"}
    assert twin.call("POST", "/query", b"{no json")[0] == 400
    assert twin.call("GET", "/runs/jr_none")[0] == 404
    assert twin.call("POST", "/runs/jr_none/stop", {})[0] == 404
    assert twin.call("POST", f"/runs/{started['id']}/stop", {})[0] == 404
    assert twin.submit("j", **{"--layer": "iron"}) == (
        400,
        {"error": "--layer is 'iron': use bronze, silver, gold or maintenance"},
    )
    missing = twin.call("POST", "/runs", {"job": "j", "args": {"--layer": "bronze"}})
    assert missing == (400, {"error": "the job argument --run_id is missing"})

    _, broken = twin.submit("cdc_demo_w_bronze", **{"--run_id": "run 2", "--assets": str(twin.folder / "nowhere")})
    run = twin.outcome(broken["id"])
    assert run["state"] == "FAILED"
    assert "FileNotFoundError" in run["error"] and "tables.yml" in run["error"]

    os.kill(twin.s3_process.pid, signal.SIGSTOP)  # S3 does not answer: the next run can't get on
    try:
        _, first = twin.submit("cdc_demo_w_bronze", **{"--run_id": "run 3"})
        _, waiting = twin.submit("another", **{"--run_id": "run 4"})
        assert twin.submit("cdc_demo_w_bronze")[0] == 409
        check_queries()
        assert twin.call("POST", f"/runs/{waiting['id']}/stop", {})[0] == 202
        assert twin.call("GET", f"/runs/{waiting['id']}")[1]["state"] == "STOPPED"
        assert twin.call("GET", "/runs?job=cdc_demo_w_bronze")[1]["runs"][0]["id"] == first["id"]
        assert twin.call("GET", f"/runs/{first['id']}")[1]["state"] == "RUNNING"

        [jvm] = children(running.pid)
        assert twin.call("POST", f"/runs/{first['id']}/stop", {})[0] == 202
        assert running.wait(timeout=ENDED_SECONDS) == 75
        wait_until("the JVM has ended", lambda: not alive(jvm), ENDED_SECONDS, twin.log)
    finally:
        os.kill(twin.s3_process.pid, signal.SIGCONT)


def test_ends_with_its_parent_and_with_its_jvm_and_when_terminated(twin: Twin) -> None:
    command = " ".join(f"'{word}'" for word in twin.command())
    with twin.log.open("ab") as log:
        parent = subprocess.Popen(["sh", "-c", f"{command} & wait"], env=twin.environment, stdout=log, stderr=log)
    twin.wait_ready()
    [worker] = children(parent.pid)
    [jvm] = children(worker)
    parent.kill()
    parent.wait()
    wait_until("worker and JVM have ended", lambda: not alive(worker) and not alive(jvm), ENDED_SECONDS, twin.log)

    process = twin.start()
    [jvm] = children(process.pid)
    os.kill(jvm, signal.SIGKILL)
    assert process.wait(timeout=ENDED_SECONDS) == 75

    process = twin.start()
    [jvm] = children(process.pid)
    process.terminate()
    assert process.wait(timeout=ENDED_SECONDS) == 0
    wait_until("the JVM has ended", lambda: not alive(jvm), ENDED_SECONDS, twin.log)
