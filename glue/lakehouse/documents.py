"""YAML documents among a run's assets. Packaged assets hold each as JSON too, so that Glue needs no YAML parser."""

import json
import re
from pathlib import PurePosixPath
from typing import Any

from lakehouse.sqlfile import Assets


def read_document(assets: Assets, path: str) -> Any:
    """What a .yml file says, from the .json file beside it where there is one.

    Raises FileNotFoundError when there is neither.
    """
    try:
        return json.loads(assets.text(PurePosixPath(path).with_suffix(".json").as_posix()))
    except FileNotFoundError:
        return parse_yaml(assets.text(path))


def parse_yaml(text: str) -> Any:
    """YAML 1.2 as the TypeScript side reads it: `on`, `off`, `yes` and `no` are words, not booleans."""
    import yaml  # not on Glue, which finds JSON

    class Yaml12(yaml.SafeLoader):
        pass

    Yaml12.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    true_or_false = re.compile(r"^(?:true|false)$", re.IGNORECASE)
    Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", true_or_false, list("tTfF"))
    return yaml.load(text, Loader=Yaml12)  # a SafeLoader
