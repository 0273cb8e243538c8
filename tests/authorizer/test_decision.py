"""The whole decision, from an event to a policy."""

import json
from typing import Any

import pytest
from cryptography import x509

from authorizer.certificates import CHAIN_HEADER, identify
from authorizer.chain import ChainVerifier
from authorizer.decision import Authorizer
from authorizer.errors import UnauthorizedError
from tests.authorizer.certifying import ca, leaf, revoke, spelt_otherwise
from tests.authorizer.issuing import (
    NOW,
    STAGE,
    authority,
    authorizer,
    claims,
    client,
    confirmation,
    event,
    resources,
    rules,
    tenant,
    thumbprint,
    token,
)

ACME = client().certificate
GLOBEX = client("globex")


def denied(answer: dict[str, Any]) -> str:
    """Why, of an answer that allows nothing at all."""
    assert resources(answer) == []
    assert [one["Effect"] for one in answer["policyDocument"]["Statement"]] == ["Deny"]
    return answer["context"]["reason"]


def test_a_caller_gets_a_policy_of_its_routes_and_a_context_for_the_log():
    answer = authorizer().answer(event(token(claims(scope="widgets.read orders.read"))))
    arns = [f"{STAGE}/GET/{path}" for path in ("widgets", "orders/*", "whoami")]
    assert answer == {
        "principalId": "acme",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": arns},
            ],
        },
        "context": {
            "tenant": "acme",
            "subject": "acme-service",
            "clientId": "acme-client",
            "keyId": "one",
            "certificateThumbprint": thumbprint(ACME),
            "certificateSerial": identify(ACME).serial_hex,
        },
    }


def test_the_longest_answer_is_under_8_kb():
    long = "a" * 255
    names = [f"GET /{'x' * 40}{number}" for number in range(200)]
    for count in range(1, 200, 7):
        found = authorizer(
            routes=["GET /widgets", *names[:count]],
            scopes={},
            tenants={"a" * 128: tenant("acme", tokens={"subjects": [long], "clientIds": []})},
        )
        answer = found.answer(event(token(claims(sub=long, client_id=long))))
        assert "GET/widgets" in resources(answer)
        assert len(json.dumps(answer)) < 8_192


def test_scopes_decide_which_routes_the_policy_has():
    answer = authorizer().answer(event(token(claims(scope="orders.read")), name="order"))
    assert resources(answer) == ["GET/orders/*", "GET/whoami"]
    assert "reason" not in answer["context"]


def test_a_call_without_its_scope_is_not_in_the_policy():
    answer = authorizer().answer(event(token(claims(scope="orders.read"))))
    assert resources(answer) == ["GET/orders/*", "GET/whoami"]
    assert answer["context"]["reason"] == "insufficient_scope"
    assert answer["principalId"] == "acme"


def test_a_route_without_scopes_needs_none():
    answer = authorizer().answer(event(token(claims(scope=None)), name="whoami"))
    assert resources(answer) == ["GET/whoami"]


def test_a_route_that_is_not_listed_is_denied():
    found = authorizer(routes=["GET /whoami"], scopes={})
    assert denied(found.answer(event())) == "route_unknown"


def test_without_a_good_token_it_is_a_401_whatever_the_certificate():
    for bearer, pem in (("x", None), ("x", ""), (token(claims(iss="x")), GLOBEX.certificate_pem)):
        with pytest.raises(UnauthorizedError):
            authorizer().answer(event(bearer, pem))


def test_with_a_good_token_a_bad_certificate_is_a_403():
    found = event()
    del found["multiValueHeaders"]["X-Client-Cert-Leaf"]
    assert denied(authorizer().answer(found)) == "certificate_missing"
    assert denied(authorizer().answer(event(pem="x"))) == "certificate_malformed"
    stranger = client("stranger").certificate_pem
    assert denied(authorizer().answer(event(pem=stranger))) == "certificate_unknown"


def test_a_forged_second_certificate_is_refused():
    """Whichever of the two the load balancer wrote."""
    found = event()
    good = found["multiValueHeaders"]["X-Client-Cert-Leaf"][0]
    for values in ([good, "x"], ["x", good], [good, good]):
        found["multiValueHeaders"]["X-Client-Cert-Leaf"] = values
        assert denied(authorizer().answer(found)) == "certificate_repeated"
    found = event()
    found["multiValueHeaders"]["x-client-cert-LEAF"] = [good]
    assert denied(authorizer().answer(found)) == "certificate_repeated"


def test_a_denial_says_as_much_as_is_known():
    answer = authorizer().answer(event(pem=GLOBEX.certificate_pem))
    assert denied(answer) == "tenant_mismatch"
    assert answer["principalId"] == "unknown"
    assert answer["context"]["subject"] == "acme-service"
    assert answer["context"]["certificateThumbprint"] == thumbprint(GLOBEX.certificate)
    blocked = authorizer(tenants={"acme": tenant("acme", blockedCertificates=[thumbprint(ACME)])})
    answer = blocked.answer(event())
    assert denied(answer) == "certificate_blocked"
    assert answer["context"]["certificateThumbprint"] == thumbprint(ACME)


def test_a_blocked_tenant_is_denied():
    found = authorizer(tenants={"acme": tenant("acme", blocked=True)})
    answer = found.answer(event())
    assert denied(answer) == "tenant_blocked"
    assert answer["principalId"] == answer["context"]["tenant"] == "acme"


def test_a_blocked_certificate_is_denied_each_time():
    found = authorizer(tenants={"acme": tenant("acme", blockedCertificates=[thumbprint(ACME)])})
    for _ in range(2):
        assert denied(found.answer(event())) == "certificate_blocked"


def test_a_token_bound_to_a_certificate_goes_with_no_other():
    """A stolen token, shown by another certificate of the same tenant."""
    second = authority().issue("acme", key="p-256")
    bound = token(claims(cnf=confirmation(ACME)))
    found = authorizer(tenants={"acme": tenant("acme", binding="required")})
    assert resources(found.answer(event(bound)))
    with pytest.raises(UnauthorizedError, match="token_binding"):
        found.answer(event(bound, second.certificate_pem))
    assert denied(found.answer(event())) == "token_not_bound"
    assert resources(found.answer(event(bound)))


def test_of_several_faults_the_first_in_order_is_answered():
    """Token, then certificate and tenant, then what is blocked, then binding, then scopes: each
    line mends one fault more.
    """
    mine, theirs = client().certificate_pem, GLOBEX.certificate_pem
    poor = claims(scope=None)
    other = poor | {"cnf": confirmation(GLOBEX.certificate)}
    blocks = {"blockedCertificates": [thumbprint(ACME), thumbprint(GLOBEX.certificate)]}
    shut = tenant("acme", binding="required", blocked=True, **blocks)
    marked = tenant("acme", binding="required", **blocks)
    good = tenant("acme", binding="required")
    globex = tenant("globex")
    lines: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
        (shut, poor | {"iss": "x"}, "x", "token_issuer"),
        (shut, poor | {"sub": "x"}, "x", "certificate_malformed"),
        (shut, poor | {"sub": "x"}, client("stranger").certificate_pem, "certificate_unknown"),
        (shut, poor | {"sub": "x"}, theirs, "token_unknown"),
        (shut, poor, theirs, "tenant_mismatch"),
        (shut, poor, mine, "tenant_blocked"),
        (marked, poor, mine, "certificate_blocked"),
        (good, poor, mine, "token_not_bound"),
        (good, other, mine, "token_binding"),
        (good, poor | {"cnf": confirmation(ACME)}, mine, "insufficient_scope"),
    ]
    for acme, said, pem, reason in lines:
        found = authorizer(tenants={"acme": acme, "globex": globex})
        assert answered(found, event(token(said), pem)) == reason


def answered(found: Authorizer, asked: dict[str, Any]) -> str:
    """The reason of a refusal, whether a 401 or a 403."""
    try:
        return found.answer(asked)["context"]["reason"]
    except UnauthorizedError as error:
        return error.reason


def test_two_clients_in_turn_never_get_each_others_answer():
    found = authorizer()
    mine = event(token(claims(scope="widgets.read")))
    theirs = event(token(claims(sub="globex-service", scope="orders.read")), GLOBEX.certificate_pem)
    crossed = event(token(claims(scope="widgets.read")), GLOBEX.certificate_pem)
    for _ in range(50):
        answer = found.answer(mine)
        assert answer["principalId"] == answer["context"]["tenant"] == "acme"
        assert resources(answer) == ["GET/widgets", "GET/whoami"]
        answer = found.answer(theirs)
        assert answer["principalId"] == answer["context"]["tenant"] == "globex"
        assert resources(answer) == ["GET/orders/*", "GET/whoami"]
        assert denied(found.answer(crossed)) == "tenant_mismatch"


def test_a_policy_is_for_the_stage_that_was_called():
    found = authorizer()
    other = event()
    other["methodArn"] = other["methodArn"].replace("/live/", "/test/")
    assert resources(found.answer(event())) == ["GET/widgets", "GET/whoami"]
    assert all("/test/" in arn for arn in resources(found.answer(other)))
    assert resources(found.answer(event())) == ["GET/widgets", "GET/whoami"]


def passthrough(found: ChainVerifier, clock: Any = lambda: NOW) -> Authorizer:
    return authorizer(
        check=found.check,
        header=CHAIN_HEADER,
        clock=clock,
        tenants={"acme": tenant("acme", certificates=rules(subjects=["CN=acme"]))},
    )


def test_passthrough_takes_a_chain_and_no_less():
    root = ca("root")
    made = leaf("acme", root)
    found = passthrough(ChainVerifier(root.pem.encode(), None))
    assert resources(found.answer(event(pem=made.pem, header="X-Client-Cert")))
    forged = leaf("acme", ca("root")).pem
    answer = found.answer(event(pem=forged, header="X-Client-Cert"))
    assert denied(answer) == "certificate_untrusted"
    without = event(pem=made.pem, header="X-Client-Cert-Leaf")
    assert denied(found.answer(without)) == "certificate_missing"


def test_only_a_serial_number_blocks_a_certificate_however_it_is_spelt():
    """An ECDSA signature has a second spelling, and with it the certificate a second thumbprint."""
    root = ca("root")
    made = leaf("acme", root)
    other = spelt_otherwise(made)
    assert thumbprint(other.certificate) != thumbprint(made.certificate)
    serial = f"CN=root#{made.certificate.serial_number:x}"
    for blocked, reasons in (
        (thumbprint(made.certificate), ["certificate_blocked", None]),
        (serial, ["certificate_blocked", "certificate_blocked"]),
    ):
        found = authorizer(
            check=ChainVerifier(root.pem.encode(), None).check,
            header=CHAIN_HEADER,
            tenants={"acme": tenant("acme", blockedCertificates=[blocked])},
        )
        answers = [
            found.answer(event(pem=one.pem, header="X-Client-Cert")) for one in (made, other)
        ]
        assert [answer["context"].get("reason") for answer in answers] == reasons


def test_a_remembered_chain_is_looked_at_again_when_it_may_have_ended():
    root = ca("root")
    made = leaf("acme", root, days=(-1, 2))
    lists = revoke(root, days=(-1, 1))
    now = [NOW]
    found = passthrough(ChainVerifier(root.pem.encode(), lists.encode()), lambda: now[0])
    one = event(token(claims(exp=NOW + 10**6)), made.pem, header="X-Client-Cert")
    assert resources(found.answer(one))
    now[0] = NOW + 86_399
    assert resources(found.answer(one))
    now[0] = NOW + 86_400
    assert denied(found.answer(one)) == "revocation_list_expired"
    found = passthrough(ChainVerifier(root.pem.encode(), None), lambda: now[0])
    assert resources(found.answer(one))
    now[0] = NOW + 2 * 86_400 + 1
    assert denied(found.answer(one)) == "certificate_expired"


def test_a_remembered_certificate_is_not_looked_at_again():
    asked: list[str] = []
    root = ca("root")
    verifier = ChainVerifier(root.pem.encode(), None)

    class Counted(ChainVerifier):
        def check(self, value: str, now: float) -> Any:
            asked.append(value)
            return verifier.check(value, now)

    found = passthrough(Counted(root.pem.encode(), None))
    one = event(pem=leaf("acme", root).pem, header="X-Client-Cert")
    for _ in range(3):
        assert resources(found.answer(one))
    assert len(asked) == 1


def test_a_certificate_that_was_refused_is_looked_at_again():
    found = authorizer()
    for _ in range(2):
        answer = found.answer(event(pem=client("stranger").certificate_pem))
        assert denied(answer) == "certificate_unknown"


def test_a_certificate_of_a_name_is_told_by_its_names():
    root = ca("root")
    san = (x509.SubjectAlternativeName([x509.DNSName("api.acme.example")]), False)
    found = authorizer(
        tenants={"acme": tenant("acme", certificates=rules(sanDns=["api.acme.example"]))}
    )
    assert resources(found.answer(event(pem=leaf("whoever", root, san).pem)))
    assert denied(found.answer(event(pem=leaf("acme", root).pem))) == "certificate_unknown"
