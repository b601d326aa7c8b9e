"""Amazon CloudWatch: alarms and dashboards."""

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType


def _alarm(operation: str) -> ResourceType:
    def put(context: Context, properties: Properties) -> Made:
        name = properties.get("AlarmName") or context.unique_name(255)
        context.call("cloudwatch", operation, {**properties, "AlarmName": name})
        return Made(name, {"Arn": context.arn("cloudwatch", f"alarm:{name}")})

    def update(context: Context, live: Live, properties: Properties) -> Made:
        return put(context, {**properties, "AlarmName": live.physical_id})

    def delete(context: Context, live: Live) -> None:
        context.call("cloudwatch", "delete_alarms", {"AlarmNames": [live.physical_id]})

    return ResourceType(put, delete, update, frozenset(["AlarmName"]))


def _put_dashboard(context: Context, properties: Properties) -> Made:
    name = properties.get("DashboardName") or context.unique_name(255)
    taken = {"DashboardName": name, "DashboardBody": properties["DashboardBody"]}
    context.call("cloudwatch", "put_dashboard", taken)
    return Made(name)


def _update_dashboard(context: Context, live: Live, properties: Properties) -> Made:
    return _put_dashboard(context, {**properties, "DashboardName": live.physical_id})


def _delete_dashboard(context: Context, live: Live) -> None:
    context.call("cloudwatch", "delete_dashboards", {"DashboardNames": [live.physical_id]})


TYPES = {
    "AWS::CloudWatch::Alarm": _alarm("put_metric_alarm"),
    "AWS::CloudWatch::CompositeAlarm": _alarm("put_composite_alarm"),
    "AWS::CloudWatch::Dashboard": ResourceType(
        _put_dashboard, _delete_dashboard, _update_dashboard, frozenset(["DashboardName"])
    ),
}
