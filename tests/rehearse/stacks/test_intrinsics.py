"""The functions of a template, its order, and properties as parameters."""

from typing import Any

import boto3
import pytest
from cloudformation.api import PropertyError, fit
from cloudformation.graph import creation_order
from cloudformation.intrinsics import TemplateError, references, resolve


class Known:
    """A stack with a queue."""

    region = "eu-central-1"

    def ref(self, name: str) -> Any:
        return {"Queue": "url", "AWS::Region": self.region}[name]

    def attribute(self, logical_id: str, name: str) -> Any:
        return {("Queue", "Arn"): "arn:queue", ("Db", "Endpoint.Address"): "db.local"}[logical_id, name]

    def dynamic(self, service: str, reference: str) -> str:
        return f"<{service} {reference}>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Queue"}, "url"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::GetAtt": "Db.Endpoint.Address"}, "db.local"),
        ({"Fn::Sub": "${Db.Endpoint.Address}:${Queue} ${!Literal}"}, "db.local:url ${Literal}"),
        ({"Fn::Sub": ["${Own}-${AWS::Region}", {"Own": {"Ref": "Queue"}}]}, "url-eu-central-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Queue"}, 1]]}, "a-url-1"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::GetAZs": ""}]}, "eu-central-1a"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ("x {{resolve:ssm:/a/b}}", "x <ssm /a/b>"),
        ({"Fn::Sub": "{{resolve:secretsmanager:${Queue}:SecretString:k}}"}, "<secretsmanager url:SecretString:k>"),
    ],
)
def test_resolves(value: Any, expected: Any) -> None:
    assert resolve(value, Known()) == expected


@pytest.mark.parametrize("value", [{"Fn::If": ["a", 1, 2]}, {"Fn::Select": [3, ["a"]]}, {"Fn::GetAtt": "Queue"}])
def test_refuses_what_it_does_not_know(value: Any) -> None:
    with pytest.raises(TemplateError):
        resolve(value, Known())


def test_finds_every_reference() -> None:
    value = {
        "a": [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}],
        "b": {"Fn::Join": ["", [{"Fn::Sub": "${C} ${D.Arn} ${Own} ${!No}"}]]},
        "c": {"Fn::Sub": ["${Own}", {"Own": {"Ref": "E"}}]},
    }
    assert sorted(references(value)) == ["A", "B", "C", "D", "E", "Own"]


def test_orders_by_references_then_as_written() -> None:
    resources = {
        "Last": {"DependsOn": "First"},
        "Free": {},
        "First": {"Properties": {"x": {"Ref": "Base"}}},
        "Base": {},
    }
    assert creation_order(resources) == ["Base", "First", "Last", "Free"]


def test_names_the_circle() -> None:
    resources = {"A": {"Properties": {"b": {"Ref": "B"}}}, "B": {"DependsOn": ["A"]}}
    with pytest.raises(TemplateError, match="A -> B -> A"):
        creation_order(resources)


def test_names_what_is_missing() -> None:
    with pytest.raises(TemplateError, match="A depends on Nothing"):
        creation_order({"A": {"DependsOn": "Nothing"}})


def parameters(service: str, operation: str, value: dict[str, Any]) -> Any:
    model = boto3.client(service, region_name="us-east-1").meta.service_model
    return fit(model.operation_model(operation).input_shape, value, operation)


def test_fits_names_numbers_documents_and_tags() -> None:
    assert parameters("ecs", "CreateCluster", {"ClusterName": "c", "Tags": {"a": "1"}}) == {
        "clusterName": "c",
        "tags": [{"key": "a", "value": "1"}],
    }
    assert parameters("glue", "CreateJob", {"Timeout": "60", "Tags": [{"Key": "a", "Value": "1"}]}) == {
        "Timeout": 60,
        "Tags": {"a": "1"},
    }
    assert parameters("iam", "CreateRole", {"AssumeRolePolicyDocument": {"a": True}}) == {
        "AssumeRolePolicyDocument": '{"a": true}'
    }
    assert parameters("rds", "CreateDBInstance", {"MultiAZ": "true"}) == {"MultiAZ": True}


@pytest.mark.parametrize(
    ("value", "message"), [({"Tmeout": 1}, "no parameter for Tmeout"), ({"Timeout": "soon"}, "whole number")]
)
def test_refuses_what_does_not_fit(value: dict[str, Any], message: str) -> None:
    with pytest.raises(PropertyError, match=message):
        parameters("glue", "CreateJob", value)
