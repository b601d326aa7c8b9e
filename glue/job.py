"""The one entry of every layer: Glue runs it as a script, the local worker calls `run_layer` in its warm session."""

import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":  # Glue puts --extra-py-files on the path itself; a plain run needs this folder
    sys.path.insert(0, str(Path(__file__).resolve().parent))

from lakehouse.report import Report, write_report
from lakehouse.run import Run, command_line, open_run
from lakehouse.session import glue_session

log = logging.getLogger("lakehouse")


def run_layer(run: Run) -> None:
    """Runs one layer and writes its report; a broken layer leaves a report too, then raises."""
    report = run.new_report()
    try:
        _layer(run.arguments.layer)(run, report)
    except Exception as error:
        report.status, report.error = "failed", f"{type(error).__name__}: {error}"[:4000]
        raise
    finally:
        write_report(run.store, report)
    log.info("%s of run %s done, batch %s", report.layer, report.run_id, report.batch)


def _layer(name: str) -> Callable[[Run, Report], None]:
    """The layer's `run`; a job loads no other layer than its own."""
    return importlib.import_module(f"lakehouse.{name}").run


def main() -> None:
    """The job as Glue starts it."""
    logging.basicConfig(level=logging.INFO)
    run_layer(open_run(glue_session(), command_line()))


if __name__ == "__main__":
    main()
