import pytest

FIXED_404 = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no"},
}
PQ = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
CERTIFICATE_HEADERS = ["_serial_number", "_issuer", "_subject", "_validity", "_leaf", ""]


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def balancer(create_balancer):
    return create_balancer("listeners")


@pytest.fixture(scope="module")
def certificate(issue):
    return issue("listeners.example.com")


@pytest.fixture(scope="module")
def store(elbv2, create_store, make_ca):
    arn = create_store("listeners", make_ca("listeners"))
    elbv2.describe_trust_stores(TrustStoreArns=[arn])
    return arn


@pytest.fixture
def listen(elbv2, balancer, certificate):
    """`listen(port, …)` creates an HTTPS listener, which goes when the test ends."""
    created = []

    def listen(port, **arguments):
        settings = {
            "LoadBalancerArn": balancer,
            "Protocol": "HTTPS",
            "Port": port,
            "Certificates": [{"CertificateArn": certificate}],
            "DefaultActions": [FIXED_404],
        } | arguments
        settings = {key: value for key, value in settings.items() if value is not None}
        created.append(elbv2.create_listener(**settings)["Listeners"][0])
        return created[-1]

    yield listen
    for each in created:
        elbv2.delete_listener(ListenerArn=each["ListenerArn"])


def describe(elbv2, listener):
    return elbv2.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"][0]


def test_a_verify_listener_comes_back_as_it_was_sent(elbv2, listen, certificate, store):
    created = listen(
        443,
        SslPolicy=PQ,
        MutualAuthentication={
            "Mode": "verify",
            "TrustStoreArn": store,
            "AdvertiseTrustStoreCaNames": "on",
        },
    )
    assert describe(elbv2, created) == created
    assert created["MutualAuthentication"] == {
        "Mode": "verify",
        "TrustStoreArn": store,
        "IgnoreClientCertificateExpiry": False,
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": "on",
    }
    assert created["SslPolicy"] == PQ
    assert created["Certificates"] == [{"CertificateArn": certificate}]
    assert created["DefaultActions"] == [FIXED_404]


def test_without_a_policy_and_a_mode_a_listener_has_the_api_defaults(listen):
    created = listen(443)
    assert created["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert created["MutualAuthentication"] == {"Mode": "off"}


def test_a_modify_without_mutual_authentication_leaves_it(elbv2, listen, store):
    verify = {"Mode": "verify", "TrustStoreArn": store}
    created = listen(443, MutualAuthentication=verify)
    arn = created["ListenerArn"]
    changed = elbv2.modify_listener(ListenerArn=arn, Port=444, SslPolicy=PQ)["Listeners"][0]
    assert changed == {**created, "Port": 444, "SslPolicy": PQ}
    off = elbv2.modify_listener(ListenerArn=arn, MutualAuthentication={"Mode": "off"})
    assert off["Listeners"][0]["MutualAuthentication"] == {"Mode": "off"}
    assert describe(elbv2, created) == off["Listeners"][0]


def test_a_passthrough_listener_has_its_mode_and_no_trust_store(elbv2, listen):
    created = listen(443, MutualAuthentication={"Mode": "passthrough"})
    assert created["MutualAuthentication"] == {"Mode": "passthrough"}
    assert describe(elbv2, created) == created


def test_a_change_to_passthrough_keeps_the_listener_and_frees_the_trust_store(
    elbv2, listen, create_store, make_ca, refused
):
    arn = create_store("left", make_ca("left"))
    elbv2.describe_trust_stores(TrustStoreArns=[arn])
    created = listen(443, MutualAuthentication={"Mode": "verify", "TrustStoreArn": arn})
    key = "routing.http.request.x_amzn_mtls_clientcert.header_name"
    before = modify(elbv2, created, **{key: "X-Client-Cert"})
    with refused("TrustStoreInUse"):
        elbv2.delete_trust_store(TrustStoreArn=arn)
    changed = elbv2.modify_listener(
        ListenerArn=created["ListenerArn"], MutualAuthentication={"Mode": "passthrough"}
    )["Listeners"][0]
    assert changed == {**created, "MutualAuthentication": {"Mode": "passthrough"}}
    after = elbv2.describe_listener_attributes(ListenerArn=created["ListenerArn"])
    assert attributes(after) == before
    elbv2.delete_trust_store(TrustStoreArn=arn)


def test_a_change_to_verify_needs_its_trust_store(elbv2, listen, refused):
    created = listen(443, MutualAuthentication={"Mode": "passthrough"})
    with refused("ValidationError", "A trust store ARN must be specified"):
        elbv2.modify_listener(
            ListenerArn=created["ListenerArn"], MutualAuthentication={"Mode": "verify"}
        )
    assert describe(elbv2, created) == created


def test_passthrough_listeners_do_not_count_among_those_that_verify(listen, store):
    verify = {"Mode": "verify", "TrustStoreArn": store}
    for port in (443, 444):
        listen(port, MutualAuthentication=verify)
    for port in (445, 446):
        listen(port, MutualAuthentication={"Mode": "passthrough"})


def test_a_refused_modify_changes_nothing(elbv2, listen, refused):
    created = listen(443)
    with refused("TrustStoreNotFound"):
        elbv2.modify_listener(
            ListenerArn=created["ListenerArn"],
            Port=445,
            MutualAuthentication={"Mode": "verify", "TrustStoreArn": "arn:none"},
        )
    assert describe(elbv2, created) == created


def test_a_trust_store_that_is_not_active_yet_is_refused(listen, create_store, make_ca, refused):
    arn = create_store("too-early", make_ca("x"))
    with refused("TrustStoreNotReady", f"Trust store with ARN '{arn}' is not in ACTIVE state"):
        listen(443, MutualAuthentication={"Mode": "verify", "TrustStoreArn": arn})


@pytest.mark.parametrize(
    ("mutual", "words"),
    [
        ({"Mode": "verify"}, "A trust store ARN must be specified"),
        ({"Mode": "passthrough", "TrustStoreArn": "x"}, "passthrough does not support trust store"),
        ({"Mode": "off", "IgnoreClientCertificateExpiry": True}, "off does not support ignoring"),
        ({"Mode": "passthrough", "AdvertiseTrustStoreCaNames": "on"}, "does not support advertis"),
        ({"Mode": "strict"}, "mode 'strict' must be one of"),
    ],
    ids=["verify alone", "passthrough store", "off expiry", "passthrough names", "unknown mode"],
)
def test_mutual_authentication_that_does_not_fit_its_mode_is_refused(
    listen, refused, mutual, words
):
    with refused("ValidationError", words):
        listen(443, MutualAuthentication=mutual)


def test_advertising_is_on_or_off(listen, refused, store):
    given = {"Mode": "verify", "TrustStoreArn": store, "AdvertiseTrustStoreCaNames": "yes"}
    with refused("ValidationError", r"enum value set: \[on, off\]"):
        listen(443, MutualAuthentication=given)


def test_a_third_verify_listener_of_a_load_balancer_is_refused(listen, store, refused):
    verify = {"Mode": "verify", "TrustStoreArn": store}
    listen(443, MutualAuthentication=verify)
    listen(444, MutualAuthentication=verify)
    with refused("InvalidConfigurationRequest", "at most 2 listeners"):
        listen(445, MutualAuthentication=verify)


def test_mutual_authentication_needs_https(listen, refused):
    with refused("ValidationError", "not supported for HTTP listeners"):
        listen(80, Protocol="HTTP", Certificates=None, MutualAuthentication={"Mode": "passthrough"})


def test_an_http_listener_has_no_mutual_authentication(listen):
    created = listen(80, Protocol="HTTP", Certificates=None)
    assert "MutualAuthentication" not in created
    assert "SslPolicy" not in created


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"SslPolicy": "ELBSecurityPolicy-Nonsense"}, "SSLPolicyNotFound", "SSL policy '.*' not f"),
        ({"Certificates": None}, "ValidationError", "A certificate must be specified for HTTPS"),
        ({"Protocol": "HTTP"}, "ValidationError", "cannot be specified for HTTP listeners"),
        ({"Protocol": "TCP"}, "ValidationError", "Listener protocol 'TCP' must be one of"),
        ({"DefaultActions": []}, "ValidationError", "An action must be specified"),
        ({"Port": 65536}, "ValidationError", "less than or equal to 65535"),
        ({"LoadBalancerArn": "arn:none"}, "LoadBalancerNotFound", None),
        (
            {
                "Certificates": [
                    {"CertificateArn": "arn:aws:acm:eu-west-1:111111111111:certificate/x"}
                ]
            },
            "CertificateNotFound",
            "Certificate '.*' not found",
        ),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_a_listener_cannot_be_is_refused(listen, refused, arguments, code, words):
    with refused(code, words):
        listen(446, **arguments)


def test_a_certificate_that_is_not_issued_is_refused(listen, issue, refused):
    arn = issue("pending.example.com", validate=False)
    with refused("UnsupportedCertificate", "must have a fully-qualified domain name"):
        listen(443, Certificates=[{"CertificateArn": arn}])


def test_a_second_certificate_in_a_create_is_refused(listen, certificate, refused):
    with refused("ValidationError", "Only one certificate"):
        listen(443, Certificates=[{"CertificateArn": certificate}] * 2)


def test_two_actions_that_end_a_request_are_refused(listen, refused):
    with refused("InvalidLoadBalancerAction", "exactly one action"):
        listen(443, DefaultActions=[FIXED_404, FIXED_404])


def test_two_listeners_on_a_port_are_refused(elbv2, listen, refused):
    listen(443)
    other = listen(444)
    with refused("DuplicateListener"):
        listen(443)
    with refused("DuplicateListener"):
        elbv2.modify_listener(ListenerArn=other["ListenerArn"], Port=443)


def test_the_recommended_policy_offers_tls_1_3_and_1_2_with_forward_secrecy(elbv2):
    policy = elbv2.describe_ssl_policies(Names=[PQ])["SslPolicies"][0]
    assert policy["SslProtocols"] == ["TLSv1.3", "TLSv1.2"]
    assert [cipher["Name"] for cipher in policy["Ciphers"]] == [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ]


def test_an_unknown_policy_is_not_described(elbv2, refused):
    assert len(elbv2.describe_ssl_policies()["SslPolicies"]) > 30
    with refused("SSLPolicyNotFound"):
        elbv2.describe_ssl_policies(Names=["ELBSecurityPolicy-Nonsense"])


def attributes(answer):
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def modify(elbv2, listener, **values):
    given = [{"Key": key, "Value": value} for key, value in values.items()]
    arn = listener["ListenerArn"]
    return attributes(elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=given))


def test_every_certificate_header_can_be_renamed_and_the_server_header_removed(elbv2, listen):
    created = listen(443)
    given = {
        f"routing.http.request.x_amzn_mtls_clientcert{part}.header_name": f"X-Client{part}"
        for part in CERTIFICATE_HEADERS
    } | {"routing.http.response.server.enabled": "false"}
    answer = modify(elbv2, created, **given)
    described = attributes(elbv2.describe_listener_attributes(ListenerArn=created["ListenerArn"]))
    assert described == answer
    assert {key: described[key] for key in given} == given


def test_an_empty_value_brings_an_attributes_default_back(elbv2, listen):
    created = listen(443)
    key = "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name"
    modify(elbv2, created, **{key: "X-Leaf"})
    assert modify(elbv2, created, **{key: ""})[key] == ""


@pytest.mark.parametrize(
    ("key", "value", "code", "words"),
    [
        ("routing.http.nonsense", "1", "ValidationError", "is not recognized"),
        ("tcp.idle_timeout.seconds", "60", "InvalidConfigurationRequest", "is not supported on"),
        ("routing.http.response.server.enabled", "no", "ValidationError", "must be one of"),
        (
            "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
            "X Leaf",
            "ValidationError",
            "is not valid",
        ),
    ],
    ids=["unknown", "of a network load balancer", "no flag", "space in a name"],
)
def test_a_listener_attribute_that_albs_do_not_take_is_refused(
    elbv2, listen, refused, key, value, code, words
):
    created = listen(443)
    with refused(code, words):
        modify(elbv2, created, **{key: value})


def test_certificate_headers_cannot_be_renamed_on_an_http_listener(elbv2, listen, refused):
    created = listen(80, Protocol="HTTP", Certificates=None)
    key = "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name"
    with refused("InvalidConfigurationRequest", "not supported on listeners with protocol 'HTTP'"):
        modify(elbv2, created, **{key: "X-Leaf"})
    modify(elbv2, created, **{"routing.http.response.server.enabled": "false"})


def test_a_further_certificate_must_be_issued_too(elbv2, listen, issue, refused):
    created = listen(443)
    arn = issue("further.example.com", validate=False)
    with refused("UnsupportedCertificate"):
        elbv2.add_listener_certificates(
            ListenerArn=created["ListenerArn"], Certificates=[{"CertificateArn": arn}]
        )
