"""A gold model: the folder sql/gold/<model>/ as the engine reads it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from lakehouse.documents import read_document
from lakehouse.registry import qualified
from lakehouse.sqlfile import Assets

FOLDER = "sql/gold"
STAMPS = ("_batch", "processed_at")

# What decides a model's rows; a change in one of them calls for a full run.
_DEFINING = ("model.yml", "keys.sql", "load.sql", "finish.sql")


class ModelError(Exception):
    """A model that can't be run as it is written; the message says what to change."""


@dataclass(frozen=True)
class Input:
    """A silver table that a model reads, as {alias} in its SQL: its key and the columns that matter to the model."""

    alias: str
    table_id: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One gold table. `version` changes with the files that decide its rows."""

    name: str
    grain: tuple[str, ...]
    inputs: tuple[Input, ...]
    files: frozenset[str]
    version: str

    def path(self, file: str) -> str:
        """The asset path of one of the model's files."""
        return f"{FOLDER}/{self.name}/{file}"

    def has(self, file: str) -> bool:
        """Whether the model has an optional file (finish.sql, view.sql)."""
        return file in self.files


def load_models(assets: Assets, wanted: Sequence[str] = ()) -> tuple[Model, ...]:
    """The models of sql/gold by name; `wanted` narrows them, empty means all.

    Raises ModelError for a name that has no folder, or a folder that is no model.
    """
    files: dict[str, set[str]] = {}
    for path in assets.list(FOLDER):
        folder, _, file = path.removeprefix(f"{FOLDER}/").partition("/")
        files.setdefault(folder, set()).add(file)
    unknown = sorted(set(wanted) - set(files))
    if unknown:
        raise ModelError(f"no model {', '.join(unknown)} in {FOLDER}: there are {', '.join(sorted(files))}")
    return tuple(_model(assets, name, frozenset(files[name])) for name in sorted(files) if not wanted or name in wanted)


def _model(assets: Assets, name: str, files: frozenset[str]) -> Model:
    folder = PurePosixPath(FOLDER, name)
    missing = sorted({"model.yml", "create.sql", "keys.sql", "load.sql", "checks.sql"} - files)
    if missing:
        raise ModelError(f"{folder}: {', '.join(missing)} missing")
    texts = {file: assets.text(f"{folder}/{file}") for file in _DEFINING if file in files}
    document = read_document(assets, f"{folder}/model.yml")
    try:
        return Model(
            name=name,
            grain=tuple(document["grain"]),
            inputs=tuple(_input(alias, entry) for alias, entry in document["inputs"].items()),
            files=files,
            version=hashlib.sha256("\0".join(f"{file}\0{text}" for file, text in texts.items()).encode()).hexdigest(),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(
            f"{folder}/model.yml: it needs grain: [columns] and "
            f"inputs: {{alias: {{key: [...], columns: [...]}}}} ({error})"
        ) from error


def _input(alias: str, entry: Mapping[str, Any]) -> Input:
    columns, key = tuple(entry["columns"]), tuple(entry["key"])
    if not set(key) <= set(columns):
        raise ValueError(f"{alias}: the key {key} is not among its columns")
    return Input(alias, qualified(entry.get("table", alias)), key, columns)
