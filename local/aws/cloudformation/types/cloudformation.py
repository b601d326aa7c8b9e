"""AWS CloudFormation's own types: handles, which stand for nothing."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType


def _create(context: Context, properties: Properties) -> Made:
    return Made(f"https://cloudformation.invalid/{context.unique_name()}")


def _delete(context: Context, live: Live) -> None:
    """There is nothing behind a handle."""


TYPES = {"AWS::CloudFormation::WaitConditionHandle": ResourceType(_create, _delete)}
