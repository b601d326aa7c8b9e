"""The table of types: what each service's module declares, by CloudFormation's name of the type."""

from ..intrinsics import TemplateError
from ..resource import ResourceType
from . import (
    applicationautoscaling,
    athena,
    budgets,
    cloudformation,
    cloudwatch,
    custom,
    dynamodb,
    ec2,
    ecs,
    events,
    firehose,
    glue,
    iam,
    kms,
    lambda_,
    logs,
    msk,
    pipes,
    rds,
    s3,
    scheduler,
    secretsmanager,
    servicediscovery,
    sns,
    sqs,
    ssm,
    stepfunctions,
)

TYPES: dict[str, ResourceType] = {
    **applicationautoscaling.TYPES,
    **athena.TYPES,
    **budgets.TYPES,
    **cloudformation.TYPES,
    **cloudwatch.TYPES,
    **dynamodb.TYPES,
    **ec2.TYPES,
    **ecs.TYPES,
    **events.TYPES,
    **firehose.TYPES,
    **glue.TYPES,
    **iam.TYPES,
    **kms.TYPES,
    **lambda_.TYPES,
    **logs.TYPES,
    **msk.TYPES,
    **pipes.TYPES,
    **rds.TYPES,
    **s3.TYPES,
    **scheduler.TYPES,
    **secretsmanager.TYPES,
    **servicediscovery.TYPES,
    **sns.TYPES,
    **sqs.TYPES,
    **ssm.TYPES,
    **stepfunctions.TYPES,
}


def type_of(name: str) -> ResourceType:
    """The type of that name; every `Custom::` type is one. Raises TemplateError for one that is not known."""
    if name.startswith("Custom::"):
        return custom.custom_type(name)
    if name not in TYPES:
        raise TemplateError(f"{name} is not known here: local/aws/cloudformation/types/ says how each type is made")
    return TYPES[name]
