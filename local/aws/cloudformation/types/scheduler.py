"""Amazon EventBridge Scheduler: schedules and their groups."""

from ..declared import by_name, declared

TYPES = {
    "AWS::Scheduler::Schedule": declared(
        "scheduler",
        create="create_schedule",
        update="update_schedule",
        delete="delete_schedule",
        named=lambda live: {
            "Name": live.physical_id,
            **({"GroupName": live.properties["GroupName"]} if "GroupName" in live.properties else {}),
        },
        attributes=lambda context, properties, answer: {"Arn": answer["ScheduleArn"]},
        default_name="Name",
        replaced_by=["Name", "GroupName"],
    ),
    "AWS::Scheduler::ScheduleGroup": declared(
        "scheduler",
        create="create_schedule_group",
        delete="delete_schedule_group",
        named=by_name(),
        attributes=lambda context, properties, answer: {"Arn": answer["ScheduleGroupArn"]},
    ),
}
