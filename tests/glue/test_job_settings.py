"""The Glue jobs of resources/lake.yml run the engine with the settings that the twin runs it with."""

from pathlib import Path
from typing import Any

import yaml

from lakehouse.run import REQUIRED
from lakehouse.session import SHARED

LAKE = Path(__file__).resolve().parents[2] / "resources" / "lake.yml"
JOBS = {"BronzeJob": "bronze", "SilverJob": "silver", "GoldJob": "gold", "MaintenanceJob": "maintenance"}

CATALOG_ON_AWS = {
    "spark.sql.catalog.glue_catalog.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
    "spark.sql.catalog.glue_catalog.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    "spark.sql.catalog.glue_catalog.warehouse": "s3://${LakeBucket}/warehouse",
}
SIZES = {"spark.sql.shuffle.partitions": "${param:glueShufflePartitions}"}


class _Template(yaml.SafeLoader):
    """CloudFormation's short forms: `!Sub x` is x."""


def _argument(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    raise TypeError(f"no short form takes a {type(node).__name__}")


_Template.add_multi_constructor("!", _argument)


def _jobs() -> dict[str, dict[str, Any]]:
    template = yaml.load(LAKE.read_text(), Loader=_Template)  # a SafeLoader
    jobs = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Glue::Job"
    }
    assert list(jobs) == list(JOBS)
    return jobs


def _spark_settings(conf: str) -> dict[str, str]:
    """Glue takes one --conf key; further settings stand inside it, each behind another --conf."""
    settings = [part.split("=", 1) for part in conf.strip().split(" --conf ")]
    assert all(len(pair) == 2 and " " not in "".join(pair) for pair in settings), conf
    assert len({key for key, _ in settings}) == len(settings)
    return dict(settings)


def test_jobs_run_with_the_sessions_settings_and_the_glue_catalog() -> None:
    for job in _jobs().values():
        assert _spark_settings(job["DefaultArguments"]["--conf"]) == {**SHARED, **CATALOG_ON_AWS, **SIZES}


def test_jobs_know_every_argument_that_the_engine_requires() -> None:
    for name, job in _jobs().items():
        arguments = job["DefaultArguments"]
        assert {f"--{required}" for required in REQUIRED} <= set(arguments)
        assert arguments["--layer"] == JOBS[name]
        assert arguments["--datalake-formats"] == "iceberg"


def test_no_job_runs_twice_or_waits_in_a_queue_or_outlives_its_task() -> None:
    for job in _jobs().values():
        assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
        assert job["JobRunQueuingEnabled"] is False
        assert job["MaxRetries"] == 0
        assert job["GlueVersion"] == "6.0"
        assert job["Timeout"] * 60 < _patience()


def _patience() -> int:
    """The shortest wait of a state machine for a job, in seconds."""
    machines = sorted((LAKE.parents[1] / "statemachines").glob("*.asl.yml"))
    waits = [
        state["TimeoutSeconds"]
        for machine in machines
        for state in _states(yaml.safe_load(machine.read_text()))
        if state.get("Resource") == "arn:aws:states:::glue:startJobRun.sync"
    ]
    return min(waits)


def _states(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """Every state, those inside Map and Parallel too."""
    found: list[dict[str, Any]] = []
    for state in definition.get("States", {}).values():
        found.append(state)
        for inner in [state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", [])]:
            found += _states(inner or {})
    return found
