"""Amazon EC2: what a network is made of."""

from typing import Any

from ..api import Properties
from ..declared import Answer, answer_at, declared, from_answer
from ..resource import Context, Live, Made, ResourceType


def _tagged(kind: str, properties: Properties) -> Properties:
    """`Tags` as EC2's create calls take them."""
    taken = {name: item for name, item in properties.items() if name != "Tags"}
    if properties.get("Tags"):
        taken["TagSpecifications"] = [{"ResourceType": kind, "Tags": properties["Tags"]}]
    return taken


def _retag(context: Context, live: Live, properties: Properties) -> None:
    if properties.get("Tags"):
        context.call("ec2", "create_tags", {"Resources": [live.physical_id], "Tags": properties["Tags"]})


def _create_vpc(context: Context, properties: Properties) -> Made:
    attributes = ("EnableDnsHostnames", "EnableDnsSupport")
    taken = {name: item for name, item in properties.items() if name not in attributes}
    vpc = context.call("ec2", "create_vpc", _tagged("vpc", taken))["Vpc"]
    _set_vpc(context, vpc["VpcId"], properties)
    groups = _of_vpc(context, "describe_security_groups", vpc["VpcId"])["SecurityGroups"]
    return Made(
        vpc["VpcId"],
        {
            "VpcId": vpc["VpcId"],
            "CidrBlock": vpc["CidrBlock"],
            "DefaultSecurityGroup": groups[0]["GroupId"] if groups else "",
        },
    )


def _of_vpc(context: Context, operation: str, vpc_id: str) -> Answer:
    return context.call("ec2", operation, {"Filters": [{"Name": "vpc-id", "Values": [vpc_id]}]})


def _set_vpc(context: Context, vpc_id: str, properties: Properties) -> None:
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in properties:
            taken = {"VpcId": vpc_id, name: {"Value": properties[name]}}
            context.call("ec2", "modify_vpc_attribute", taken)


def _update_vpc(context: Context, live: Live, properties: Properties) -> Made:
    _set_vpc(context, live.physical_id, properties)
    _retag(context, live, properties)
    return Made(live.physical_id, live.attributes)


def _delete_vpc(context: Context, live: Live) -> None:
    context.call("ec2", "delete_vpc", {"VpcId": live.physical_id})


def _create_subnet(context: Context, properties: Properties) -> Made:
    taken = {name: item for name, item in properties.items() if name != "MapPublicIpOnLaunch"}
    subnet = context.call("ec2", "create_subnet", _tagged("subnet", taken))["Subnet"]
    _set_subnet(context, subnet["SubnetId"], properties)
    attributes = {name: subnet[name] for name in ("SubnetId", "AvailabilityZone", "CidrBlock", "VpcId")}
    return Made(subnet["SubnetId"], attributes)


def _set_subnet(context: Context, subnet_id: str, properties: Properties) -> None:
    wanted = {"Value": properties.get("MapPublicIpOnLaunch", False)}
    context.call("ec2", "modify_subnet_attribute", {"SubnetId": subnet_id, "MapPublicIpOnLaunch": wanted})


def _update_subnet(context: Context, live: Live, properties: Properties) -> Made:
    _set_subnet(context, live.physical_id, properties)
    _retag(context, live, properties)
    return Made(live.physical_id, live.attributes)


def _delete_subnet(context: Context, live: Live) -> None:
    context.call("ec2", "delete_subnet", {"SubnetId": live.physical_id})


def _tagged_type(kind: str, create: str, delete: str, parameter: str, *path: str, attribute: str) -> ResourceType:
    """A type whose one changeable property is its tags."""

    def make(context: Context, properties: Properties) -> Made:
        made = answer_at(context.call("ec2", create, _tagged(kind, properties)), *path)
        return Made(made, {attribute: made})

    def change(context: Context, live: Live, properties: Properties) -> Made:
        _retag(context, live, properties)
        return Made(live.physical_id, live.attributes)

    def take_away(context: Context, live: Live) -> None:
        context.call("ec2", delete, {parameter: live.physical_id})

    return ResourceType(make, take_away, change, frozenset(["VpcId", "SubnetId", "AllocationId", "ConnectivityType"]))


def _attach_gateway(context: Context, properties: Properties) -> Made:
    context.call("ec2", "attach_internet_gateway", properties)
    return Made(f"IGW|{properties['VpcId']}")


def _detach_gateway(context: Context, live: Live) -> None:
    context.call("ec2", "detach_internet_gateway", live.properties)


def _create_address(context: Context, properties: Properties) -> Made:
    answer = context.call("ec2", "allocate_address", _tagged("elastic-ip", properties))
    attributes = {"AllocationId": answer["AllocationId"], "PublicIp": answer["PublicIp"]}
    return Made(answer["PublicIp"], attributes)


def _release_address(context: Context, live: Live) -> None:
    context.call("ec2", "release_address", {"AllocationId": live.attributes["AllocationId"]})


def _create_route(context: Context, properties: Properties) -> Made:
    context.call("ec2", "create_route", properties)
    return Made(f"{properties['RouteTableId']}|{properties['DestinationCidrBlock']}")


def _delete_route(context: Context, live: Live) -> None:
    named = {name: live.properties[name] for name in ("RouteTableId", "DestinationCidrBlock")}
    context.call("ec2", "delete_route", named)


def _create_group(context: Context, properties: Properties) -> Made:
    """A group allows all egress until rules of its own replace that."""
    taken = {
        "GroupName": properties.get("GroupName") or context.unique_name(255),
        "Description": properties["GroupDescription"],
        **({"VpcId": properties["VpcId"]} if "VpcId" in properties else {}),
        **({"Tags": properties["Tags"]} if "Tags" in properties else {}),
    }
    group_id = context.call("ec2", "create_security_group", _tagged("security-group", taken))["GroupId"]
    if properties.get("SecurityGroupEgress"):
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        _rules(context, "revoke_security_group_egress", group_id, everything)
    _allow(context, group_id, properties)
    return Made(group_id, {"GroupId": group_id, "VpcId": properties.get("VpcId", "")})


def _allow(context: Context, group_id: str, properties: Properties) -> None:
    for direction in ("Ingress", "Egress"):
        rules = [_permission(rule) for rule in properties.get(f"SecurityGroup{direction}", [])]
        _rules(context, f"authorize_security_group_{direction.lower()}", group_id, rules)


def _rules(context: Context, operation: str, group_id: str, permissions: list[Properties]) -> None:
    if permissions:
        context.call("ec2", operation, {"GroupId": group_id, "IpPermissions": permissions})


def _permission(rule: Properties) -> Properties:
    """A rule as the API writes it: the other side in a list of its kind, with the description there."""
    said = {"Description": rule["Description"]} if "Description" in rule else {}
    permission: dict[str, Any] = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **said}]
    group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **said}]
    prefixes = rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId")
    if prefixes:
        permission["PrefixListIds"] = [{"PrefixListId": prefixes, **said}]
    return permission


def _update_group(context: Context, live: Live, properties: Properties) -> Made:
    for direction in ("Ingress", "Egress"):
        old = [_permission(rule) for rule in live.properties.get(f"SecurityGroup{direction}", [])]
        _rules(context, f"revoke_security_group_{direction.lower()}", live.physical_id, old)
    _allow(context, live.physical_id, properties)
    _retag(context, live, properties)
    return Made(live.physical_id, live.attributes)


def _delete_group(context: Context, live: Live) -> None:
    context.call("ec2", "delete_security_group", {"GroupId": live.physical_id})


def _rule_type(direction: str) -> ResourceType:
    def allow(context: Context, properties: Properties) -> Made:
        permission = [_permission(properties)]
        _rules(context, f"authorize_security_group_{direction}", properties["GroupId"], permission)
        return Made(context.unique_name())

    def revoke(context: Context, live: Live) -> None:
        permission = [_permission(live.properties)]
        _rules(context, f"revoke_security_group_{direction}", live.properties["GroupId"], permission)

    return ResourceType(allow, revoke)


def _create_flow_log(context: Context, properties: Properties) -> Made:
    taken = {name: item for name, item in properties.items() if name != "ResourceId"}
    answer = context.call(
        "ec2", "create_flow_logs", {**_tagged("vpc-flow-log", taken), "ResourceIds": [properties["ResourceId"]]}
    )
    return Made(answer["FlowLogIds"][0], {"Id": answer["FlowLogIds"][0]})


def _delete_flow_log(context: Context, live: Live) -> None:
    context.call("ec2", "delete_flow_logs", {"FlowLogIds": [live.physical_id]})


TYPES = {
    "AWS::EC2::VPC": ResourceType(_create_vpc, _delete_vpc, _update_vpc, frozenset(["CidrBlock"])),
    "AWS::EC2::Subnet": ResourceType(
        _create_subnet,
        _delete_subnet,
        _update_subnet,
        frozenset(["VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"]),
    ),
    "AWS::EC2::InternetGateway": _tagged_type(
        "internet-gateway",
        "create_internet_gateway",
        "delete_internet_gateway",
        "InternetGatewayId",
        "InternetGateway",
        "InternetGatewayId",
        attribute="InternetGatewayId",
    ),
    "AWS::EC2::VPCGatewayAttachment": ResourceType(_attach_gateway, _detach_gateway),
    "AWS::EC2::EIP": ResourceType(_create_address, _release_address),
    "AWS::EC2::NatGateway": _tagged_type(
        "natgateway",
        "create_nat_gateway",
        "delete_nat_gateway",
        "NatGatewayId",
        "NatGateway",
        "NatGatewayId",
        attribute="NatGatewayId",
    ),
    "AWS::EC2::RouteTable": _tagged_type(
        "route-table",
        "create_route_table",
        "delete_route_table",
        "RouteTableId",
        "RouteTable",
        "RouteTableId",
        attribute="RouteTableId",
    ),
    "AWS::EC2::Route": ResourceType(_create_route, _delete_route),
    "AWS::EC2::SubnetRouteTableAssociation": declared(
        "ec2",
        create="associate_route_table",
        delete="disassociate_route_table",
        named=lambda live: {"AssociationId": live.physical_id},
        physical_id=from_answer("AssociationId"),
        attributes=lambda context, properties, answer: {"Id": answer["AssociationId"]},
    ),
    "AWS::EC2::VPCEndpoint": declared(
        "ec2",
        create="create_vpc_endpoint",
        delete="delete_vpc_endpoints",
        named=lambda live: {"VpcEndpointIds": [live.physical_id]},
        physical_id=from_answer("VpcEndpoint", "VpcEndpointId"),
        attributes=lambda context, properties, answer: {"Id": answer["VpcEndpoint"]["VpcEndpointId"]},
    ),
    "AWS::EC2::SecurityGroup": ResourceType(
        _create_group, _delete_group, _update_group, frozenset(["GroupName", "GroupDescription", "VpcId"])
    ),
    "AWS::EC2::SecurityGroupIngress": _rule_type("ingress"),
    "AWS::EC2::SecurityGroupEgress": _rule_type("egress"),
    "AWS::EC2::FlowLog": ResourceType(_create_flow_log, _delete_flow_log),
}
