import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def ec2(client):
    return client("ec2")


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def group(ec2, vpc, name):
    return ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]


@pytest.fixture
def pair(ec2, vpc):
    return group(ec2, vpc, "one"), group(ec2, vpc, "two")


def https(**source):
    return {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **source}


def admit(ec2, group_id, other, description="from the other", **settings):
    source = {"GroupId": other, "Description": description}
    return ec2.authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=[https(UserIdGroupPairs=[source])], **settings
    )["SecurityGroupRules"][0]


def rules(ec2, group_id):
    of_group = [{"Name": "group-id", "Values": [group_id]}]
    found = ec2.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]
    return {rule["SecurityGroupRuleId"]: rule for rule in found}


def refused(refusal):
    return refusal.value.response["Error"]["Code"], refusal.value.response["Error"]["Message"]


def test_a_rule_by_group_comes_back_as_it_was_sent(ec2, pair):
    tags = [{"Key": "a", "Value": "b"}]
    specification = [{"ResourceType": "security-group-rule", "Tags": tags}]
    made = admit(ec2, *pair, TagSpecifications=specification)
    got = rules(ec2, pair[0])[made["SecurityGroupRuleId"]]
    assert got == made
    assert got["ReferencedGroupInfo"] == {"GroupId": pair[1], "UserId": "111111111111"}
    assert (got["IsEgress"], got["IpProtocol"], got["FromPort"], got["ToPort"]) == (
        False,
        "tcp",
        443,
        443,
    )
    assert got["Description"] == "from the other"
    assert got["Tags"] == tags


def test_every_permission_of_a_call_answers_its_rules(ec2, pair):
    permissions = [
        https(IpRanges=[{"CidrIp": "10.0.0.0/16", "Description": "inside"}]),
        https(UserIdGroupPairs=[{"GroupId": pair[1]}]),
    ]
    made = ec2.authorize_security_group_egress(GroupId=pair[0], IpPermissions=permissions)
    assert [rule.get("CidrIpv4") for rule in made["SecurityGroupRules"]] == ["10.0.0.0/16", None]
    assert all(rule["IsEgress"] for rule in made["SecurityGroupRules"])


def test_a_rule_that_exists_is_refused_whatever_its_description(ec2, pair):
    admit(ec2, *pair)
    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        admit(ec2, *pair, description="another")


def test_a_rule_is_modified_in_place(ec2, pair):
    rule_id = admit(ec2, *pair)["SecurityGroupRuleId"]
    changed = https(ReferencedGroupId=pair[0], Description="from itself") | {"ToPort": 444}
    entry = {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": changed}
    ec2.modify_security_group_rules(GroupId=pair[0], SecurityGroupRules=[entry])
    got = rules(ec2, pair[0])[rule_id]
    assert got["ReferencedGroupInfo"]["GroupId"] == pair[0]
    assert (got["FromPort"], got["ToPort"], got["Description"]) == (443, 444, "from itself")


def test_a_rule_that_allows_all_protocols_is_modified_without_ports(ec2, pair):
    [rule_id] = rules(ec2, pair[0])
    changed = {"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/16"}
    entry = {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": changed}
    ec2.modify_security_group_rules(GroupId=pair[0], SecurityGroupRules=[entry])
    assert rules(ec2, pair[0])[rule_id]["CidrIpv4"] == "10.0.0.0/16"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}, "MissingParameter"),
        (
            {
                "IpProtocol": "tcp",
                "FromPort": 1,
                "ToPort": 1,
                "CidrIpv4": "10.0.0.0/8",
                "ReferencedGroupId": "sg-1",
            },
            "InvalidParameterCombination",
        ),
        ({"CidrIpv4": "10.0.0.0/8"}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "CidrIpv4": "10.0.0.0/8"}, "InvalidParameterValue"),
        (
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIpv4": "10.0.0.0/8"},
            "InvalidParameterValue",
        ),
    ],
)
def test_a_modification_of_a_rule_by_group_is_refused_for(ec2, pair, rule, code):
    rule_id = admit(ec2, *pair)["SecurityGroupRuleId"]
    entry = {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": rule}
    with pytest.raises(ClientError) as refusal:
        ec2.modify_security_group_rules(GroupId=pair[0], SecurityGroupRules=[entry])
    assert refused(refusal)[0] == code


def test_a_modification_names_a_group_and_a_rule_that_exist(ec2, pair):
    rule = https(CidrIpv4="10.0.0.0/16")
    entry = {"SecurityGroupRuleId": "sgr-00000000", "SecurityGroupRule": rule}
    for group_id, code in (
        ("sg-00000000", r"InvalidGroup\.NotFound"),
        (pair[0], r"InvalidSecurityGroupRuleId\.NotFound"),
    ):
        with pytest.raises(ClientError, match=code):
            ec2.modify_security_group_rules(GroupId=group_id, SecurityGroupRules=[entry])


def test_a_rule_cannot_become_the_copy_of_another(ec2, pair):
    admit(ec2, *pair)
    rule_id = admit(ec2, pair[0], pair[0])["SecurityGroupRuleId"]
    entry = {
        "SecurityGroupRuleId": rule_id,
        "SecurityGroupRule": https(ReferencedGroupId=pair[1]),
    }
    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        ec2.modify_security_group_rules(GroupId=pair[0], SecurityGroupRules=[entry])


def test_a_rule_is_revoked_by_its_id(ec2, pair):
    rule_id = admit(ec2, *pair)["SecurityGroupRuleId"]
    revoked = {"GroupId": pair[0], "SecurityGroupRuleIds": [rule_id]}
    ec2.revoke_security_group_ingress(**revoked)
    assert rule_id not in rules(ec2, pair[0])
    with pytest.raises(ClientError, match=r"InvalidPermission\.NotFound"):
        ec2.revoke_security_group_ingress(**revoked)


def test_a_group_that_another_ones_rule_names_is_not_deleted(ec2, pair):
    rule_id = admit(ec2, *pair)["SecurityGroupRuleId"]
    with pytest.raises(ClientError) as refusal:
        ec2.delete_security_group(GroupId=pair[1])
    assert refused(refusal) == (
        "DependencyViolation",
        f"resource {pair[1]} has a dependent object",
    )
    ec2.revoke_security_group_ingress(GroupId=pair[0], SecurityGroupRuleIds=[rule_id])
    ec2.delete_security_group(GroupId=pair[1])


def test_a_group_that_an_interface_has_is_not_deleted(ec2, vpc, pair):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[pair[0]])
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=pair[0])


def test_a_group_that_names_itself_is_deleted(ec2, pair):
    admit(ec2, pair[0], pair[0])
    ec2.delete_security_group(GroupId=pair[0])


def test_a_default_group_admits_itself_can_be_emptied_and_not_deleted(ec2, vpc):
    of_vpc = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    [default] = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
    [pair] = default["IpPermissions"][0]["UserIdGroupPairs"]
    assert pair["GroupId"] == default["GroupId"]
    which = {"GroupId": default["GroupId"]}
    ec2.revoke_security_group_ingress(**which, IpPermissions=default["IpPermissions"])
    ec2.revoke_security_group_egress(**which, IpPermissions=default["IpPermissionsEgress"])
    assert rules(ec2, default["GroupId"]) == {}
    with pytest.raises(ClientError, match="cannot be deleted by a user"):
        ec2.delete_security_group(**which)
