"""What is uploaded for Glue runs from there: the engine out of its zip, SQL and registry beside it, no YAML parser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_WITHOUT_YAML = """
import sys
sys.modules["yaml"] = None  # Glue promises none
"""

_IMPORT_ALL = """
import importlib, lakehouse, pkgutil
names = [m.name for m in pkgutil.walk_packages(lakehouse.__path__, "lakehouse.")]
for name in names:
    importlib.import_module(name)
print(lakehouse.__file__, len(names))
import job
"""

_READ_ASSETS = """
from lakehouse.documents import read_document
from lakehouse.gold_model import load_models
from lakehouse.registry import registry_of
from lakehouse.storage import open_assets
assets = open_assets({folder!r})
print(assets.list("sql/lake"))
print(registry_of(read_document(assets, "tables.yml")))
print(load_models(assets))
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assets as the deployment uploads them."""
    node = ROOT / "node_modules" / ".bin" / "node"
    pack = ROOT / "resources" / "assets" / "pack.ts"
    command = [str(node), str(pack), str(tmp_path_factory.mktemp("assets"))]
    return Path(subprocess.run(command, capture_output=True, text=True, timeout=240, check=True).stdout.strip())


def test_every_module_imports_from_the_zip(packed: Path, tmp_path: Path) -> None:
    out = _run(packed, tmp_path, _WITHOUT_YAML + _IMPORT_ALL)
    assert str(packed / "lakehouse.zip") in out
    modules = len(list((ROOT / "glue" / "lakehouse").rglob("*.py")))
    assert f" {modules - 1}\n" in out


def test_packaged_documents_need_no_yaml_and_say_the_same(packed: Path, tmp_path: Path) -> None:
    from_json = _run(packed, tmp_path, _WITHOUT_YAML + _READ_ASSETS.format(folder=str(packed)))
    from_yaml = _run(packed, tmp_path, _READ_ASSETS.format(folder=str(ROOT)))
    assert "sql/lake/landed.sql" in from_json
    assert from_json.splitlines()[1] == from_yaml.splitlines()[1]
    assert _without_files(from_json) == _without_files(from_yaml)


def _without_files(printed: str) -> list[str]:
    """The models as printed, but for the files in their folders (a set, and JSON among them)."""
    return [part.split("frozenset(")[0] for part in printed.splitlines()[2].split("Model(")]


def _run(packed: Path, cwd: Path, code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(packed / "lakehouse.zip"), str(packed)])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
