from datetime import UTC, datetime
from typing import Any

import pytest

from lab.certificates import Authority
from lab.cloud import Cloud
from lab.wire.aws import Accounts, Reader
from lab.wire.listener import Listener
from lab.wire.logs import AccessEntry, ConnectionEntry, Logs, fields
from lab.wire.messages import Request
from lab.wire.tls import Session
from tests.lab.wire.private_api import ACCOUNT, REGION

ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/front/0123456789abcdef"


def listener(**attributes: str) -> Listener:
    described: dict[str, Any] = {"Protocol": "HTTPS", "Port": 443}
    return Listener(
        balancer={"LoadBalancerArn": ARN},
        listener=described,
        balancer_attributes={key.replace("__", "."): value for key, value in attributes.items()},
        attributes={},
        rules=(),
    )


def test_a_connection_line_has_the_documented_fields() -> None:
    certificate = Authority.create("CA").issue("one, two", "p-256", serial_number=0xABC).certificate
    session = Session(
        protocol="TLSv1.3",
        cipher="TLS_AES_128_GCM_SHA256",
        key_exchange="x25519",
        seconds=0.0123,
        client_certificate=certificate,
    )
    entry = ConnectionEntry(
        listener=listener(),
        session=session,
        client=("10.0.0.9", 5000),
        node_ip="10.0.0.6",
        status="Success",
        trace_id="TID_1",
    )
    moment, *rest = fields(entry.line())
    assert datetime.fromisoformat(moment).tzinfo == UTC
    validity = rest.pop(7)
    assert validity.startswith("NotBefore=20")
    assert rest == [
        "10.0.0.9",
        "5000",
        "443",
        "TLSv1.3",
        "TLS_AES_128_GCM_SHA256",
        "0.012",
        "CN=one\\, two",
        "0ABC",
        "Success",
        "TID_1",
        "x25519",
        "app/front/0123456789abcdef",
        "10.0.0.6",
    ]


def entry(**values: Any) -> AccessEntry:
    return AccessEntry(
        listener=listener(),
        session=None,
        client=("10.0.0.9", 5000),
        node_ip="10.0.0.6",
        connection_trace_id="TID_1",
        created=datetime.now(UTC),
        **values,
    )


def test_an_access_line_has_34_fields_whatever_the_client_sends() -> None:
    agent = 'a "quoted\\" agent'
    request = Request(method="GET", target="/", headers=(("User-Agent", agent),))
    line = fields(entry(request=request, url="https://a:443/").line(200, 1, 2))
    assert len(line) == 34
    assert line[12:14] == ["GET https://a:443/ HTTP/1.1", agent]
    assert len(fields(entry().line(400, 1, 2))) == 34


def test_times_are_minus_one_when_no_target_was_asked() -> None:
    assert fields(entry().line(404, 1, 2))[4:8] == ["-", "-1", "-1", "-1"]
    asked = entry(target="10.0.0.5:443", target_seconds=0.25)
    assert fields(asked.line(200, 1, 2))[4:8] == ["10.0.0.5:443", "0.000", "0.250", "0.000"]


def test_what_is_left_is_delivered_at_the_end_and_nothing_where_logs_are_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Cloud({"producer": ACCOUNT}, REGION) as cloud:
        key = cloud.credentials["producer"]
        reader = Reader(cloud.endpoint_url, REGION, key.access_key_id, key.secret_access_key)
        s3 = reader.client("s3")
        s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
        logs = Logs(Accounts([reader]))
        on = {"access_logs__s3__enabled": "true", "access_logs__s3__prefix": ""}
        logs.add("access_logs", listener(), "10.0.0.6", "off")
        logs.add("access_logs", listener(**on, access_logs__s3__bucket="logs"), "10.0.0.6", "on")
        logs.add("access_logs", listener(**on, access_logs__s3__bucket="gone"), "10.0.0.6", "lost")
        logs.start()
        logs.stop()
        (delivered,) = s3.list_objects_v2(Bucket="logs")["Contents"]
        reader.close()
    assert delivered["Key"].startswith(f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/")
    assert "1 lines were not delivered" in caplog.text
