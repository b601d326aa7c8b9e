"""Packs of recorded Debezium events (tests/fixtures/debezium), made by the project's own enrichment."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def recorded_packs(*recordings: str) -> list[dict[str, Any]]:
    """The packs of these recordings, e.g. 'users', 'transaction'; in order of topic and offset."""
    return [json.loads(line) for line in _lines(recordings)]


@cache
def _lines(recordings: tuple[str, ...]) -> list[str]:
    own = ROOT / "node_modules" / ".bin" / "node"
    node = str(own) if own.exists() else shutil.which("node")
    if node is None:
        raise RuntimeError("the enrichment needs Node: run npm start or npm test once, they set it up")
    script = str(ROOT / "tests" / "glue" / "recorded-packs.ts")
    done = subprocess.run([node, script, *recordings], capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"recorded-packs.ts {' '.join(recordings)} failed:\n{done.stderr}")
    return done.stdout.splitlines()
