"""Mutual TLS, headers and logs of a deployed load balancer, by unmodified curl and openssl."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from lab.certificates import Authority, Issued, self_signed
from lab.wire.network import Network
from tests.lab.wire.private_api import ACCOUNT, REGION
from tests.lab.wire.stack import DOMAIN, Stack
from tests.lab.wire.tls_server import run, s_client

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
RENAMED_SUBJECT = "routing.http.request.x_amzn_mtls_clientcert_subject.header_name"


def test_a_trusted_client_reaches_the_function(stack: Stack, good: Issued) -> None:
    event = stack.event(good, "/widgets?a=1")
    assert event["path"] == "/widgets"
    assert event["queryStringParameters"] == {"a": "1"}
    assert event["headers"]["Host"] == stack.ids["api_host"]
    assert event["requestContext"]["identity"]["vpceId"] == stack.ids["endpoint"]


def test_the_api_learns_what_was_measured_of_the_certificate(stack: Stack, good: Issued) -> None:
    headers = stack.event(good)["headers"]
    prefix, certificate = "X-Amzn-Mtls-Clientcert-", good.certificate
    assert int(headers[f"{prefix}Serial-Number"], 16) == certificate.serial_number
    assert headers[f"{prefix}Subject"] == "CN=client-1"
    assert headers[f"{prefix}Issuer"] == "CN=Client Root"
    start = certificate.not_valid_before_utc.strftime("NotBefore=%Y-%m-%dT%H:%M:%SZ;NotAfter=")
    assert headers[f"{prefix}Validity"].startswith(start)
    assert unquote(headers[f"{prefix}Leaf"]) == good.certificate_pem
    assert " " not in headers[f"{prefix}Leaf"]


def test_under_renamed_headers_forged_ones_come_first_and_measured_ones_second(
    stack: Stack, good: Issued
) -> None:
    stack.set_listener(**{RENAMED_SUBJECT: "X-Client-Subject"})
    forged = ["-H", "X-Client-Subject: CN=admin", "-H", "X-Amzn-Mtls-Clientcert-Subject: CN=root"]
    headers = stack.event(good, "/widgets", *forged)["multiValueHeaders"]
    assert headers["X-Client-Subject"] == ["CN=admin", "CN=client-1"]
    assert headers["X-Amzn-Mtls-Clientcert-Subject"] == ["CN=root"]
    stack.set_listener(**{RENAMED_SUBJECT: ""})
    assert stack.event(good)["headers"]["X-Amzn-Mtls-Clientcert-Subject"] == "CN=client-1"


def test_forwarded_headers_say_where_the_request_came_from(stack: Stack, good: Issued) -> None:
    headers = stack.event(good, "/widgets", "-H", "X-Forwarded-Proto: http")["headers"]
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Port"] == "443"
    client = Network(stack.accounts).peer(stack.ids["client"])
    assert headers["X-Forwarded-For"].split(", ")[0] == client.ip
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["X-Amzn-Trace-Id"])


@pytest.mark.parametrize(
    ("mode", "start"), [("append", "1.2.3.4, 10.0."), ("preserve", "1.2.3.4"), ("remove", "10.0.")]
)
def test_the_forwarded_for_mode_is_obeyed(
    stack: Stack, good: Issued, mode: str, start: str
) -> None:
    stack.set_balancer(routing__http__xff_header_processing__mode=mode)
    sent = stack.event(good, "/widgets", "-H", "X-Forwarded-For: 1.2.3.4")["headers"]
    assert sent["X-Forwarded-For"].startswith(start)
    assert sent["X-Forwarded-For"].count("1.2.3.4") == (mode != "remove")
    stack.set_balancer(routing__http__xff_header_processing__mode="append")


def test_invalid_header_names_are_dropped_where_the_attribute_says_so(
    stack: Stack, good: Issued
) -> None:
    sent = ["-H", "X_Client: 1"]
    assert "X_Client" in stack.event(good, "/widgets", *sent)["headers"]
    stack.set_balancer(routing__http__drop_invalid_header_fields__enabled="true")
    assert "X_Client" not in stack.event(good, "/widgets", *sent)["headers"]
    stack.set_balancer(routing__http__drop_invalid_header_fields__enabled="false")


def test_response_headers_of_the_listener_are_set(stack: Stack, good: Issued) -> None:
    stack.set_listener(routing__http__response__x_frame_options__header_value="DENY")
    assert "X-Frame-Options: DENY" in stack.curl(good, "/widgets", "-i").stdout
    stack.set_listener(routing__http__response__x_frame_options__header_value="")


def refused(stack: Stack, name: str) -> Issued | None:
    other = Authority.create("Other")
    deep = Authority.create("3", Authority.create("2", Authority.create("1", stack.root)))
    made = {
        "none": lambda: None,
        "other authority": lambda: other.issue("client-1"),
        "self-signed": lambda: self_signed("client-1"),
        "expired": lambda: stack.root.issue("client-1", not_after=NOW - DAY),
        "not yet valid": lambda: stack.root.issue("client-1", not_before=NOW + DAY),
        "server only": lambda: stack.root.issue("client-1", usages=("server_auth",)),
        "chain of five": lambda: deep.issue("client-1"),
    }
    return made[name]()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "UnmappedConnectionError"),
        ("other authority", "ClientCertUntrusted"),
        ("self-signed", "ClientCertUntrusted"),
        ("expired", "ClientCertExpired"),
        ("not yet valid", "ClientCertNotYetValid"),
        ("server only", "ClientCertPurposeInvalid"),
        ("chain of five", "ClientCertMaxChainDepthExceeded"),
    ],
)
def test_others_are_cut_off_and_the_connection_log_says_why(
    stack: Stack, name: str, reason: str
) -> None:
    issued = refused(stack, name)
    result = stack.curl(issued, "/widgets", "-w", "%{http_code} %{local_port}")
    assert result.returncode in (35, 56)
    status, port = result.stdout.split()
    assert status == "000"
    (line,) = stack.log("connection_logs", int(port))
    assert line[10] == f"Failed:{reason}"
    assert line[6] == "-"
    if issued:
        assert line[7] == "CN=client-1"
        assert int(line[9], 16) == issued.certificate.serial_number


def test_a_replaced_bundle_counts_from_the_next_connection(stack: Stack, good: Issued) -> None:
    new = Authority.create("New Root")
    issued = new.issue("client-2")
    assert stack.curl(issued).returncode in (35, 56)
    stack.set_bundle(stack.root, new)
    assert (stack.curl(issued).returncode, stack.curl(good).returncode) == (0, 0)
    stack.set_bundle(new)
    assert stack.curl(issued).returncode == 0
    assert stack.curl(good).returncode in (35, 56)
    stack.set_bundle(stack.root)


def test_a_revocation_list_counts_while_it_is_in_force(stack: Stack, good: Issued) -> None:
    elbv2 = stack.client("elbv2")
    revoked = stack.root.revoke(good.certificate.serial_number)
    stack.client("s3").put_object(Bucket="trust", Key="list.pem", Body=revoked.encode())
    contents = [{"S3Bucket": "trust", "S3Key": "list.pem", "RevocationType": "CRL"}]
    added = elbv2.add_trust_store_revocations(
        TrustStoreArn=stack.ids["trust_store"], RevocationContents=contents
    )
    result = stack.curl(good, "/widgets", "-w", "%{local_port}")
    assert result.returncode in (35, 56)
    (line,) = stack.log("connection_logs", int(result.stdout))
    assert line[10] == "Failed:ClientCertCrlHit"
    elbv2.remove_trust_store_revocations(
        TrustStoreArn=stack.ids["trust_store"],
        RevocationIds=[one["RevocationId"] for one in added["TrustStoreRevocations"]],
    )
    assert stack.curl(good).returncode == 0


def test_tls_follows_the_listeners_policy(stack: Stack) -> None:
    port = stack.door()
    old = s_client(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in old.stderr
    weak = s_client(port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256")
    assert "handshake failure" in weak.stderr
    fine = s_client(port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert "Cipher is ECDHE-RSA-AES128-GCM-SHA256" in fine.stdout


def test_plain_http_on_the_https_port_is_told_so(stack: Stack) -> None:
    to = f"{DOMAIN}:80:127.0.0.1:{stack.door()}"
    result = run(["curl", "-si", "--connect-to", to, f"http://{DOMAIN}/widgets"])
    assert result.stdout.startswith("HTTP/1.1 400 Bad Request")
    assert "The plain HTTP request was sent to HTTPS port" in result.stdout


def test_without_mutual_authentication_anybody_is_served(stack: Stack) -> None:
    elbv2 = stack.client("elbv2")
    listener = stack.ids["listener"]
    elbv2.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "off"})
    result = stack.curl(None)
    verify = {"Mode": "verify", "TrustStoreArn": stack.ids["trust_store"]}
    elbv2.modify_listener(ListenerArn=listener, MutualAuthentication=verify)
    assert not any("Mtls" in name for name in json.loads(result.stdout)["headers"])


def test_requests_of_one_connection_share_its_trace_id_in_the_logs(
    stack: Stack, good: Issued
) -> None:
    twice = [f"https://{DOMAIN}/widgets", "-o", "/dev/null", "-o", "/dev/null"]
    result = stack.curl(good, "/widgets", *twice, "-w", "%{local_port} ")
    port = int(result.stdout.split()[0])
    (connection,) = stack.log("connection_logs", port)
    lines = stack.log("access_logs", port, 2)
    assert connection[10] == "Success"
    assert connection[4:6] == ["TLSv1.3", "TLS_AES_128_GCM_SHA256"]
    assert [line[29] for line in lines] == [connection[11]] * 2
    assert lines[0][8:10] == ["200", "200"]
    assert lines[0][12] == f"GET https://{DOMAIN}:443/widgets HTTP/1.1"
    assert lines[0][16] == stack.ids["group"]
    assert lines[0][20] == "10"
    assert lines[0][30:33] == [stack.ids["api_host"], "/v1/widgets", "TransformSuccess"]


def test_log_objects_are_named_as_documented(stack: Stack, good: Issued) -> None:
    result = stack.curl(good, "/widgets", "-o", "/dev/null", "-w", "%{local_port}")
    stack.log("access_logs", int(result.stdout))
    objects = stack.client("s3").list_objects_v2(Bucket="logs")["Contents"]
    start = rf"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/\d{{4}}/\d\d/\d\d/"
    end = (
        rf"{ACCOUNT}_elasticloadbalancing_{REGION}_app\.front\.[0-9a-f]{{16}}"
        r"_\d{8}T\d{4}Z_10\.0\.[01]\.\d+_[0-9a-z]+\.log\.gz"
    )
    names = [one["Key"] for one in objects if one["Key"].endswith(".gz")]
    forms = [rf"access_logs/{start}{end}", rf"connection_logs/{start}conn_log\.{end}"]
    assert all(any(re.fullmatch(form, name) for form in forms) for name in names)
    assert all(any(re.fullmatch(form, name) for name in names) for form in forms)
