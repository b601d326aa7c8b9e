"""What is uploaded for Glue runs from there: the engine out of its zip, SQL and registry beside it."""

import os
import subprocess
import sys
from pathlib import Path

import package

_IMPORT_ALL = """
import importlib, lakehouse, pkgutil
names = [m.name for m in pkgutil.walk_packages(lakehouse.__path__, "lakehouse.")]
for name in names:
    importlib.import_module(name)
print(lakehouse.__file__, len(names))
import job
from lakehouse.storage import open_assets
print(open_assets({folder!r}).list("sql/lake"))
"""


def test_every_module_imports_from_the_zip(tmp_path: Path) -> None:
    folder = package.pack(tmp_path / "assets")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "lakehouse.zip"), str(folder)])}
    code = _IMPORT_ALL.format(folder=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(folder / "lakehouse.zip") in done.stdout
    assert "sql/lake/landed.sql" in done.stdout
    modules = len(list((package.ROOT / "glue" / "lakehouse").rglob("*.py")))
    assert f" {modules - 1}\n" in done.stdout


def test_the_same_content_makes_the_same_package(tmp_path: Path) -> None:
    first, second = package.pack(tmp_path / "a"), package.pack(tmp_path / "b")
    assert first.name == second.name
    assert (first / "lakehouse.zip").read_bytes() == (second / "lakehouse.zip").read_bytes()
    assert package.pack(tmp_path / "a") == first
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [first.name]
