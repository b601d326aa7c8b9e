"""Packs what Glue runs into one folder named by its content: python glue/package.py <folder>

<folder>/<hash>/ then holds job.py (the script), lakehouse.zip (--extra-py-files), sql/ and tables.yml: what a run's
`assets` argument names once it is in S3. The same content always makes the same hash.
"""

import hashlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HASH_LENGTH = 16
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path) -> Path:
    """Writes the folder of this content; its path. What is there already is left as it is."""
    target = folder / content_hash()
    if target.exists():
        return target
    building = target.with_name(f".{target.name}.part")
    for source, name in _files():
        to = building / name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(source.read_bytes())
    _zip_package(building / "lakehouse.zip")
    building.rename(target)
    return target


def content_hash() -> str:
    """A name for everything that is packed."""
    digest = hashlib.sha256()
    for source, name in [*_files(), *_modules()]:
        body = source.read_bytes()
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:HASH_LENGTH]


def _files() -> Iterator[tuple[Path, str]]:
    yield ROOT / "glue" / "job.py", "job.py"
    yield ROOT / "tables.yml", "tables.yml"
    for path in sorted((ROOT / "sql").rglob("*")):
        if path.is_file():
            yield path, path.relative_to(ROOT).as_posix()


def _modules() -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / "glue" / "lakehouse").rglob("*.py")):
        yield path, path.relative_to(ROOT / "glue").as_posix()


def _zip_package(target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in _modules():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python glue/package.py <folder>")
    print(pack(Path(sys.argv[1])))
