"""The worker's line of job runs: one at a time, a job at most once in it."""

import gc
import logging
import queue
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from lakehouse.run import Arguments, arguments

KEPT_RUNS = 1000
ERROR_LENGTH = 4000
log = logging.getLogger("worker")


class AlreadyRunningError(Exception):
    """The job has a run that has not ended; Glue says ConcurrentRunsExceededException."""


class NoRunError(Exception):
    """There is no run of that id, or it has ended."""


@dataclass
class JobRun:
    """One run as the API shows it. `state` is RUNNING (from submission on), SUCCEEDED, FAILED or STOPPED."""

    id: str
    job: str
    args: Mapping[str, str]
    state: str
    started_at: str
    error: str | None = None
    finished_at: str | None = None


class JobLine:
    """Runs jobs in the order of their submission, by `execute`, which raises when the job fails."""

    def __init__(self, execute: Callable[[Arguments], None], kill: Callable[[str], None]) -> None:
        """`kill` ends the process, and with it the job that can't be interrupted; its argument is why."""
        self._execute = execute
        self._kill = kill
        self._runs: OrderedDict[str, JobRun] = OrderedDict()
        self._waiting: queue.Queue[tuple[JobRun, Arguments]] = queue.Queue()
        self._current: str | None = None
        self._lock = threading.Lock()

    def submit(self, job: str, args: Mapping[str, str]) -> str:
        """Puts a run of the job in the line; its id. Raises AlreadyRunningError, or ValueError for wrong arguments."""
        wanted = _parsed(args)
        with self._lock:
            if any(run.job == job and run.state == "RUNNING" for run in self._runs.values()):
                raise AlreadyRunningError(f"{job} has a run that has not ended")
            run = JobRun(f"jr_{uuid.uuid4().hex}", job, dict(args), "RUNNING", _now())
            self._runs[run.id] = run
            self._forget_old()
            self._waiting.put((run, wanted))
        return run.id

    def find(self, run_id: str) -> dict[str, Any] | None:
        """The run as JSON, or None."""
        with self._lock:
            run = self._runs.get(run_id)
            return asdict(run) if run else None

    def of_job(self, job: str | None) -> list[dict[str, Any]]:
        """The runs of a job (None: of all), newest first."""
        with self._lock:
            return [asdict(run) for run in reversed(self._runs.values()) if job in (None, run.job)]

    def stop(self, run_id: str) -> None:
        """Takes a waiting run out of the line; a running one ends the process, for Spark can't end it in the middle.

        Raises NoRunError.
        """
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.state != "RUNNING":
                raise NoRunError(f"{run_id} is not running")
            self._end(run, "STOPPED", "stopped by request")
            running = self._current == run_id
        if running:
            self._kill(f"run {run_id} of {run.job} was stopped")

    def idle(self) -> bool:
        """Whether no run waits."""
        return self._waiting.empty()

    def work(self) -> None:
        """Runs the line for ever."""
        while True:
            run, wanted = self._waiting.get()
            with self._lock:
                if run.state != "RUNNING":
                    continue
                self._current = run.id
            began = time.monotonic()
            state, error = self._outcome(run, wanted)
            with self._lock:
                self._current = None
                if run.state == "RUNNING":
                    self._end(run, state, error)
            log.info("%s of run %s: %s after %.2f s", run.job, wanted.run_id, run.state, time.monotonic() - began)
            gc.collect()  # frames in reference cycles keep their plans alive in the JVM until Python collects them

    def _outcome(self, run: JobRun, wanted: Arguments) -> tuple[str, str | None]:
        try:
            self._execute(wanted)
        except Exception as error:
            log.error("%s of run %s failed:\n%s", run.job, wanted.run_id, traceback.format_exc())
            return "FAILED", f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
        return "SUCCEEDED", None

    def _end(self, run: JobRun, state: str, error: str | None) -> None:
        run.state, run.error, run.finished_at = state, error, _now()

    def _forget_old(self) -> None:
        ended = [run.id for run in self._runs.values() if run.state != "RUNNING"]
        for run_id in ended[: max(0, len(self._runs) - KEPT_RUNS)]:
            del self._runs[run_id]


def _parsed(args: Mapping[str, str]) -> Arguments:
    try:
        return arguments({name.removeprefix("--"): value for name, value in args.items()})
    except KeyError as error:
        raise ValueError(f"the job argument --{error.args[0]} is missing") from error


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
