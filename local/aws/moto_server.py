"""moto's server, executing state machines, with what moto 5.2.5 needs to run ours soundly.

    MOTO_PORT=<endpoint's port> python moto_server.py -p <port> [--stacks [--waits-divided-by <number>]]

`MOTO_PORT` is where the Step Functions engine sends its own calls (Lambda, Glue, SNS): the twin's endpoint, which
answers Lambda, Glue and S3 itself and passes the rest back to `-p`. With `--stacks` it also deploys: CloudFormation
stacks are made as `cloudformation/` says, and what they made is run as AWS would; `--waits-divided-by` shortens the
Wait states of definitions that are taken as they were deployed. Each patch says what goes wrong without it.
"""

# ruff: noqa: E402  (one patch has to run before the engine is imported)
import datetime
import logging
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import moto

PATCHED_VERSION = "5.2.5"
"""The patches reach into moto's inside: another version is refused, not guessed at."""

if moto.__version__ != PATCHED_VERSION:
    raise SystemExit(
        f"moto {moto.__version__} is installed, but the patches of {__file__} are for {PATCHED_VERSION}: "
        "install local/setup/requirements.txt, or check every patch against the new version"
    )


def skip_batch_models() -> None:
    """Keeps the models of AWS Batch out of memory.

    The engine's Batch task takes one enum from `moto.batch.utils`; that package's `__init__` brings the EC2 backend
    with all instance types along: 82 MB of 164. An empty package at the real path gives the enum alone. This server
    then doesn't answer AWS Batch; the twin uses none.
    """
    package = ModuleType("moto.batch")
    package.__path__ = [str(Path(moto.__file__).parent / "batch")]
    sys.modules["moto.batch"] = package


skip_batch_models()

from moto.core.config import default_user_config
from moto.server import main
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_glue import (
    StateTaskServiceGlue,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.parser.utils import TMP_THREADS

KEPT_EXECUTIONS = 100
"""Ended executions kept for each state machine. AWS keeps them for 90 days; here they live in memory."""

SYNC_POLL_SECONDS = 0.1
"""How often a `.sync` task looks at its job. moto's 0.5 s, three jobs a run, would show in the twin's latency."""


def plain(value: Any) -> Any:
    """boto3's datetimes as epoch milliseconds, as Step Functions shows them; moto can't serialise datetimes."""
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def run_glue_sync(
    self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
) -> None:
    """Waits for the job of glue:startJobRun.sync.

    moto's own assumes a task-token endpoint, which Glue never has, and ends every job in "'NoneType' object has no
    attribute 'interrupt_all'". Nor does it stop the job when the execution is stopped, as Step Functions does.
    """
    started = env.stack[-1]
    resolver = self._build_sync_resolver(
        env=env,
        resource_runtime_part=resource_runtime_part,
        normalised_parameters=normalised_parameters,
        state_credentials=state_credentials,
    )
    outcome = self._eval_sync(
        env=env, sync_resolver=resolver, timeout_seconds=None, callback_endpoint=None, heartbeat_endpoint=None
    )
    if isinstance(env.program_state(), ProgramStopped):
        glue = self._get_glue_client(resource_runtime_part, state_credentials)
        glue.batch_stop_job_run(JobName=started["JobName"], JobRunIds=[started["JobRunId"]])
    env.stack.append(plain(outcome))


def call_sdk(
    self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
) -> None:
    """An aws-sdk task, or the start of an execution, with names as Step Functions has them.

    DbInstances for DBInstances, Cluster for the cluster of ECS.

    moto's own hands them to boto3 as they stand, and fails on answers with times.
    """
    client = boto_client_for(
        region=resource_runtime_part.region, service=self._get_boto_service_name(), state_credentials=state_credentials
    )
    action = self._get_boto_service_action()
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[action])
    self._to_boto_request(normalised_parameters, operation.input_shape)
    answer = getattr(client, action)(**normalised_parameters)
    answer.pop("ResponseMetadata", None)
    self._from_boto_response(answer, operation.output_shape)
    env.stack.append(plain(answer))


def forgetting_old_executions(start: Callable[..., Any]) -> Callable[..., Any]:
    """`start_execution` that first drops the oldest ended executions.

    moto keeps every one with its threads and history for ever, so the twin's loop would leak.
    """

    def start_execution(self: StepFunctionsParserBackend, *args: Any, **kwargs: Any) -> Any:
        for machine in self.state_machines:
            ended = [execution for execution in machine.executions if execution.stop_date is not None]
            for execution in ended[:-KEPT_EXECUTIONS]:
                machine.executions.remove(execution)
        TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]
        return start(self, *args, **kwargs)

    return start_execution


def deploy_stacks() -> None:
    """Has stacks made through the endpoint; functions' code is there, where moto's Lambda can't look for it."""
    import rotation
    from cloudformation.server import install

    os.environ["VALIDATE_LAMBDA_S3"] = "false"
    port = sys.argv[sys.argv.index("-p") + 1]
    endpoint_url = f"http://127.0.0.1:{os.environ['MOTO_PORT']}"
    install(endpoint_url, f"http://127.0.0.1:{port}")
    rotation.install(endpoint_url)
    keep_pipes_stopped()


def keep_pipes_stopped() -> None:
    """Leaves a stopped pipe stopped; moto's own starts again once it has been described."""
    from moto.pipes.models import PipeStatus

    kept = [(before, after) for before, after in PipeStatus.status_transitions() if before != PipeStatus.STOPPED]
    PipeStatus.status_transitions = lambda: kept  # pyright: ignore


def shorten_waits(divisor: float) -> None:
    """Divides what Wait states wait, rounded up to whole seconds. Nothing else of a definition is made faster."""

    def wait(self: Any, env: Any) -> None:
        self._wait_interval(env=env, wait_seconds=math.ceil(self._get_wait_seconds(env=env) / divisor))

    WaitFunction._eval_body = wait


def taken_option(name: str) -> str | None:
    """The value behind an option of ours, which moto's own command line would refuse."""
    if name not in sys.argv:
        return None
    at = sys.argv.index(name)
    _, value = sys.argv[at : at + 2]
    del sys.argv[at : at + 2]
    return value


def serve() -> None:
    """Patches moto and serves until killed."""
    divisor = taken_option("--waits-divided-by")
    if divisor is not None:
        shorten_waits(float(divisor))
    if "--stacks" in sys.argv:
        sys.argv.remove("--stacks")
        deploy_stacks()
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    state_task_service_callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = SYNC_POLL_SECONDS  # pyright: ignore
    StateTaskServiceGlue._eval_integration_pattern = run_glue_sync  # pyright: ignore
    StateTaskServiceAwsSdk._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES["eventbridge"] = "events"  # boto3's name for it
    StateTaskServiceAwsSdk._eval_service_task = call_sdk  # pyright: ignore
    StateTaskServiceSfn._eval_service_task = call_sdk  # pyright: ignore
    StepFunctionsParserBackend.start_execution = forgetting_old_executions(StepFunctionsParserBackend.start_execution)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no line for every request
    main()


if __name__ == "__main__":
    serve()
