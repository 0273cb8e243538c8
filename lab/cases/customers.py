"""A customer in an account of its own, over PrivateLink: cases 15 to 18."""

from collections.abc import Iterator

from lab.attempt import Answer, Files, curl
from lab.cases.certificates import ACCEPTED
from lab.cases.mode import is_refused, refusal
from lab.cases.result import Result, row
from lab.certificates import Authority
from lab.session import PRODUCER, Client, Lab

HEALTH_PORT = 8443


def over_private_link(lab: Lab) -> Iterator[Result]:
    """15: the customer gets its widget, as long as it shows its certificate; so does the producer's
    own VPC at the same time. 16: in its VPC, only listed clients reach the endpoint.
    """
    client = customer(lab)
    answer = curl(client.door, client.files, "/widgets")
    yield row(
        "15", client.name, "its own certificate", ACCEPTED, answer, "PrivateLink, then as in 1",
        passed=str(answer) == ACCEPTED,
    )  # fmt: skip
    stranger = Authority.create("Somebody else's CA").issue("acme")
    chain, key = stranger.chain_pem, stranger.key_pem
    foreign = lab.write_files("case-foreign", chain, key, client.account)
    for tried, files in (
        ("no certificate", Files(ca=lab.server_ca)),
        ("a certificate of another CA", foreign),
    ):
        answer = curl(client.door, files, "/widgets")
        yield row(
            "15", client.name, tried, refusal(lab), answer,
            "TLS ends at the producer's load balancer", passed=is_refused(lab, answer),
        )  # fmt: skip
    own = lab.clients()[0]
    answer = curl(own.door, own.files, "/widgets")
    yield row(
        "15", own.name, "from the producer's VPC", ACCEPTED, answer, "both ways in at once",
        passed=str(answer) == ACCEPTED,
    )  # fmt: skip
    answer = _from_no_group(lab, client)
    yield row(
        "16", "other", "in the customer's VPC, in no listed group", "no answer", answer,
        "the consumer endpoint's security group", passed=answer.exit_code == 28,
    )  # fmt: skip


def health_listener(lab: Lab) -> Iterator[Result]:
    """17: the network load balancer finds its target healthy. 18: what tells it so leads nowhere,
    and nobody else gets there.
    """
    elbv2 = lab.client("elbv2")
    (group,) = [
        one["TargetGroupArn"]
        for one in elbv2.describe_target_groups()["TargetGroups"]
        if one["TargetType"] == "alb"
    ]
    (target,) = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    state = target["TargetHealth"]["State"]
    yield Result(
        case="17", client="NLB", tried="HTTPS health check of the ALB", expected="healthy",
        got=state, why=f"port {HEALTH_PORT} answers 200 without a certificate",
        passed=state == "healthy",
    )  # fmt: skip
    nobody = Files(ca=lab.server_ca)
    groups = elbv2.describe_load_balancers()["LoadBalancers"]
    (nlb_group,) = [one["SecurityGroups"][0] for one in groups if one["Type"] == "network"]
    door = lab.vantage.door(lab.domain, HEALTH_PORT, nlb_group)
    answer = curl(door, nobody, "/widgets")
    yield row(
        "18", "NLB", "/widgets at the health listener", "200, and nothing", answer,
        "a fixed response, no rule", passed=(answer.status, answer.body) == (200, ""),
    )  # fmt: skip
    lab.vantage.leave(nlb_group)
    own, other = lab.clients()[0], customer(lab)
    group_of = lab.outputs["client_security_group_ids"][own.name]
    answer = curl(lab.vantage.door(lab.domain, HEALTH_PORT, group_of), nobody, "/widgets")
    yield row(
        "18", own.name, "the health listener", "no answer", answer,
        "its port is open to the NLB only", passed=answer.exit_code == 28,
    )  # fmt: skip
    door = lab.vantage_of(other.account).door(lab.domain, HEALTH_PORT, customer_group(lab))
    answer = curl(door, nobody, "/widgets")
    yield row(
        "18", other.name, "the health listener", "no answer", answer,
        "its port is open to the NLB only", passed=answer.exit_code == 28,
    )  # fmt: skip


def customer(lab: Lab) -> Client:
    """A client in a customer's account."""
    return next(client for client in lab.clients() if client.account != PRODUCER)


def customer_group(lab: Lab) -> str:
    """The security group of that client."""
    groups = lab.deployments[customer(lab).account].outputs["client_security_group_ids"]
    return next(iter(groups.values()))


def _from_no_group(lab: Lab, client: Client) -> Answer:
    """A call from an interface in the customer's VPC whose group may connect to anything."""
    ec2 = lab.client("ec2", client.account)
    endpoint_id = lab.deployments[client.account].outputs["endpoint_id"]
    endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]
    group = ec2.create_security_group(
        GroupName="other", Description="Anything out", VpcId=endpoint["VpcId"]
    )["GroupId"]
    vantage = lab.vantage_of(client.account)
    try:
        return curl(vantage.door(lab.domain, 443, group), client.files, "/widgets")
    finally:
        vantage.leave(group)
        ec2.delete_security_group(GroupId=group)
