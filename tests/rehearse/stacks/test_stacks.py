"""Stacks as their users see them: through CloudFormation's API and the services' own."""

from collections.abc import Callable
from typing import Any

import pytest

from conftest import Stack

Client = Callable[[str], Any]


def queue(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **more}}


def attributes(client: Client, url: str) -> dict[str, str]:
    return client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_makes_resources_in_the_order_of_their_references_and_removes_them_in_the_reverse(stack: Stack) -> None:
    policy = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    }
    topic = {"Type": "AWS::SNS::Topic", "DependsOn": ["Policy"], "Properties": {"TopicName": stack.name}}
    assert stack.deploy({"Topic": topic, "Policy": policy, "Queue": queue(stack.name)}) == "CREATE_COMPLETE"
    made = [logical for logical, status, _ in stack.events() if status == "CREATE_COMPLETE"]
    assert made == ["Queue", "Policy", "Topic"]
    assert stack.remove() == "DELETE_COMPLETE"
    gone = [logical for logical, status, _ in stack.events() if status == "DELETE_COMPLETE"]
    assert gone == ["Topic", "Policy", "Queue"]


def test_lets_attributes_and_names_flow(stack: Stack, client: Client) -> None:
    subscription = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
            "RawMessageDelivery": True,
        },
    }
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${AWS::StackName}-alerts"}}}
    resources = {"Subscription": subscription, "Queue": queue(stack.name), "Topic": topic}
    outputs = {
        "Url": {"Value": {"Ref": "Queue"}},
        "Arn": {"Value": {"Fn::Sub": "queue ${Queue.Arn} of ${AWS::AccountId}"}},
    }
    assert stack.deploy(resources, outputs) == "CREATE_COMPLETE"
    client("sns").publish(TopicArn=stack.resources()["Topic"], Message="hello")
    received = client("sqs").receive_message(QueueUrl=stack.outputs()["Url"])["Messages"]
    assert [message["Body"] for message in received] == ["hello"]
    assert stack.outputs()["Arn"] == f"queue arn:aws:sqs:us-east-1:123456789012:{stack.name} of 123456789012"


def test_changes_in_place_what_can_be_changed(stack: Stack, client: Client) -> None:
    stack.deploy({"Queue": queue(stack.name, VisibilityTimeout=30)})
    before = stack.resources()
    assert stack.deploy({"Queue": queue(stack.name, VisibilityTimeout=45)}) == "UPDATE_COMPLETE"
    assert stack.resources() == before
    assert attributes(client, before["Queue"])["VisibilityTimeout"] == "45"


def test_replaces_what_can_not_be_changed_and_what_depends_on_it(stack: Stack, client: Client) -> None:
    def described(name: str) -> dict[str, Any]:
        output = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Queue"}}}
        return {"Queue": queue(name), "Address": output}

    stack.deploy(described(f"{stack.name}-old"))
    before = stack.resources()
    assert stack.deploy(described(f"{stack.name}-new")) == "UPDATE_COMPLETE"
    after = stack.resources()
    assert client("sqs").list_queues(QueueNamePrefix=stack.name)["QueueUrls"] == [after["Queue"]]
    value = client("ssm").get_parameter(Name=after["Address"])["Parameter"]["Value"]
    assert after["Address"] == before["Address"]
    assert value == after["Queue"] != before["Queue"]


def test_deletes_what_it_replaced_in_the_reverse_order_of_references(stack: Stack) -> None:
    def chain(name: str) -> dict[str, Any]:
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Queue", "QueueName"]}}}
        return {"Topic": topic, "Queue": queue(name)}

    stack.deploy(chain(f"{stack.name}-old"))
    assert stack.deploy(chain(f"{stack.name}-new")) == "UPDATE_COMPLETE"
    gone = [logical for logical, status, _ in stack.events() if status == "DELETE_COMPLETE"]
    assert gone == ["Topic", "Queue"]


def test_keeps_what_it_replaces_where_that_is_asked(stack: Stack, client: Client) -> None:
    stack.deploy({"Queue": queue(f"{stack.name}-old")})
    stack.deploy({"Queue": {**queue(f"{stack.name}-new"), "UpdateReplacePolicy": "Retain"}})
    assert len(client("sqs").list_queues(QueueNamePrefix=stack.name)["QueueUrls"]) == 2


def test_takes_away_what_left_the_template(stack: Stack, client: Client) -> None:
    stack.deploy({"Kept": queue(f"{stack.name}-kept"), "Gone": queue(f"{stack.name}-gone")})
    stack.deploy({"Kept": queue(f"{stack.name}-kept")})
    assert client("sqs").list_queues(QueueNamePrefix=stack.name)["QueueUrls"] == [stack.resources()["Kept"]]


def test_leaves_alone_what_did_not_change(stack: Stack) -> None:
    stack.deploy({"Queue": queue(stack.name)})
    stack.deploy({"Queue": queue(stack.name), "Other": queue(f"{stack.name}-other")})
    assert [logical for logical, status, _ in stack.events() if status == "UPDATE_COMPLETE"] == []


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_removes_all_but_what_is_to_stay(stack: Stack, client: Client, policy: str) -> None:
    stays = {**queue(f"{stack.name}-stays"), "DeletionPolicy": policy}
    stack.deploy({"Stays": stays, "Goes": queue(f"{stack.name}-goes")})
    kept = stack.resources()["Stays"]
    assert stack.remove() == "DELETE_COMPLETE"
    assert client("sqs").list_queues(QueueNamePrefix=stack.name)["QueueUrls"] == [kept]


def test_says_why_a_resource_failed_and_stops_there(stack: Stack) -> None:
    nowhere = "arn:aws:sns:us-east-1:123456789012:no-such-topic"
    wrong = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"TopicArn": nowhere, "Protocol": "email", "Endpoint": "a@example.com"},
    }
    later = {**queue(stack.name), "DependsOn": "Wrong"}
    assert stack.deploy({"Wrong": wrong, "Later": later}) == "CREATE_FAILED"
    ((logical, _, reason),) = [event for event in stack.events() if event[1].endswith("FAILED")]
    assert logical == "Wrong"
    assert "NotFound" in reason
    assert "Later" not in stack.resources()


def test_goes_on_after_a_failure_and_leaves_nothing_of_it(stack: Stack, client: Client) -> None:
    unknown = {"Type": "AWS::Nothing::AtAll", "DependsOn": "First", "Properties": {}}
    resources = {"First": queue(f"{stack.name}-1"), "Second": unknown}
    assert stack.deploy(resources) == "CREATE_FAILED"
    assert stack.deploy({**resources, "Second": queue(f"{stack.name}-2")}) == "UPDATE_COMPLETE"
    assert stack.deploy({**resources, "Third": queue(f"{stack.name}-3")}) == "UPDATE_FAILED"
    assert stack.remove() == "DELETE_COMPLETE"
    assert client("sqs").list_queues(QueueNamePrefix=stack.name).get("QueueUrls", []) == []


def test_refuses_a_property_that_the_service_does_not_know(stack: Stack) -> None:
    misspelt = {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpresion": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"},
        },
    }
    assert stack.deploy({"Schedule": misspelt}) == "CREATE_FAILED"
    assert any("no parameter for ScheduleExpresion" in reason for _, _, reason in stack.events())


def test_refuses_an_attribute_that_the_type_does_not_give(stack: Stack) -> None:
    parameter = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Queue", "Colour"]}},
    }
    assert stack.deploy({"Queue": queue(stack.name), "Parameter": parameter}) == "CREATE_FAILED"
    assert any("Queue.Colour" in reason for _, _, reason in stack.events())


def test_refuses_a_type_that_nobody_made(stack: Stack) -> None:
    assert stack.deploy({"It": {"Type": "AWS::Nothing::AtAll", "Properties": {}}}) == "CREATE_FAILED"
    assert any("AWS::Nothing::AtAll is not known here" in reason for _, _, reason in stack.events())


def test_keeps_a_secret_while_its_rules_stay(stack: Stack, client: Client) -> None:
    def secret(description: str, length: int = 20) -> dict[str, Any]:
        rules = {"SecretStringTemplate": '{"username": "u"}', "GenerateStringKey": "password", "PasswordLength": length}
        properties = {"Name": stack.name, "Description": description, "GenerateSecretString": rules}
        return {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": properties}}

    def value() -> str:
        return client("secretsmanager").get_secret_value(SecretId=stack.name)["SecretString"]

    stack.deploy(secret("one"))
    first = value()
    assert '"username": "u"' in first
    stack.deploy(secret("two"))
    assert value() == first
    stack.deploy(secret("two", 30))
    assert value() != first


def test_substitutes_in_a_state_machine(stack: Stack, client: Client) -> None:
    def machine(seconds: int) -> dict[str, Any]:
        definition = {
            "StartAt": "Tell",
            "States": {"Tell": {"Type": "Pass", "Result": "${Where} ${Seconds}", "End": True}},
        }
        properties = {
            "StateMachineName": stack.name,
            "Definition": definition,
            "DefinitionSubstitutions": {"Where": {"Ref": "AWS::Region"}, "Seconds": seconds},
            "RoleArn": "arn:aws:iam::123456789012:role/r",
        }
        return {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}

    stack.deploy(machine(1))
    arn = stack.resources()["Machine"]
    assert "us-east-1 1" in client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    stack.deploy(machine(2))
    assert "us-east-1 2" in client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
