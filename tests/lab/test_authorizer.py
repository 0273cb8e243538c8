"""The authorizer on the whole path: under load while its issuer fails, remembered, and let down."""

import http.client
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from lab.attempt import Answer, curl
from lab.clients import Client
from lab.issuer import Issuer, Outage, make_key
from lab.session import Lab
from lab.tokens import write_token
from tests.conftest import ROOT

pytestmark = pytest.mark.lab

WIDGET = '{"id":"1","value":"4.99"}'
OUTAGES: tuple[Outage, ...] = ("refuse", "error", "garbage", "slow", "trickle")
AUTHORIZER = "api-authorizer"
Mint = Callable[[], str]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev", "acme"], tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def issuer(lab: Lab) -> Iterator[Issuer]:
    assert lab.tokens.issuer
    yield lab.tokens.issuer
    lab.tokens.issuer.outage = None


def authorizer(lab: Lab, **changes: Any) -> dict[str, str]:
    """The dev stack's, changed; any change is another function, whose environments are all new."""
    given = json.loads(lab.configs["dev"]["mtls:authorizer"])
    return {"mtls:authorizer": json.dumps({**given, **changes})}


def clients(lab: Lab) -> dict[str, Client]:
    """By tenant."""
    shop, acme = lab.clients()
    return {"shop": shop, "acme": acme}


def call(lab: Lab, client: Client, token: str | None, *options: str, path: str = "/widgets"):
    """With this token instead of the client's own."""
    file = write_token(lab.folder / "test.token", token) if token else None
    return curl(client.door, replace(client.files, token=file), path, *options)


def fresh(lab: Lab, tenant: str) -> str:
    """A good token that nobody has seen."""
    return clients(lab)[tenant].files.headers["Authorization"].removeprefix("Bearer ")


class Kept:
    """A connection that is kept from call to call, as a real client's is."""

    def __init__(self, client: Client) -> None:
        context = ssl.create_default_context(cafile=str(client.files.ca))
        context.load_cert_chain(str(client.files.cert), str(client.files.key))
        context.check_hostname = False  # it connects to 127.0.0.1
        door = client.door
        self.host = door.host
        self.connection = http.client.HTTPSConnection(
            "127.0.0.1", door.local_port, context=context, timeout=30
        )

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def status(self, token: str) -> int:
        headers = {"Host": self.host, "Authorization": f"Bearer {token}"}
        self.connection.request("GET", "/widgets", headers=headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


@dataclass(frozen=True)
class Load:
    """What is called all the while, and what must come of it each time."""

    client: Client
    calls: Sequence[tuple[Mint, int]]


@contextmanager
def under(loads: Sequence[Load]) -> Iterator[Counter[tuple[int, int]]]:
    """Each load in a thread of its own; counts pairs of what was wanted and what was answered."""
    counted: Counter[tuple[int, int]] = Counter()
    done, failed = threading.Event(), []

    def run(load: Load) -> None:
        try:
            with Kept(load.client) as kept:
                while not done.is_set():
                    for mint, wanted in load.calls:
                        counted[wanted, kept.status(mint())] += 1
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(load,)) for load in loads]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failed == []


def wrong(counted: Counter[tuple[int, int]]) -> dict[tuple[int, int], int]:
    return {pair: times for pair, times in counted.items() if pair[0] != pair[1]}


def loads(lab: Lab, issuer: Issuer) -> list[Load]:
    """Good tokens and bad ones, of two clients; each token a new one, that nothing remembers."""
    shop, acme = clients(lab).values()
    forger = make_key("p-256")
    claimed = issuer.key("ES256").kid

    def forged() -> str:
        return issuer.token("shop", key=forger, header={"kid": claimed})

    def expired() -> str:
        return issuer.token("acme", lifetime=timedelta(minutes=-10))

    return [
        Load(shop, [(lambda: issuer.token("shop"), 200), (forged, 401)]),
        Load(acme, [(lambda: issuer.token("acme"), 200), (expired, 401)]),
        Load(acme, [(lambda: issuer.token("shop"), 403), (lambda: issuer.token("acme"), 200)]),
    ]


def wait_for(counted: Counter[tuple[int, int]], more: int) -> None:
    """Until so many more calls were answered with 200."""
    pause, goal = threading.Event(), counted[200, 200] + more
    for _ in range(600):
        if counted[200, 200] >= goal:
            return
        pause.wait(0.05)
    raise AssertionError(f"no {more} good answers within 30 s: {counted}")


def test_keys_rotate_under_load_with_no_wrong_answer(lab: Lab, issuer: Issuer):
    lab.deploy("dev", authorizer(lab, leewaySeconds=31))
    before = issuer.key("ES256")
    with under(loads(lab, issuer)) as counted:
        wait_for(counted, 30)
        issuer.rotate()
        wait_for(counted, 60)
        shop = clients(lab)["shop"]
        assert call(lab, shop, issuer.token("shop", key=before)).status == 200, "still published"
    assert wrong(counted) == {}
    assert counted[401, 401] > 20
    assert counted[403, 403] > 10


def test_a_key_that_is_retired_is_refused_once_the_keys_were_fetched(lab: Lab, issuer: Issuer):
    lab.deploy("dev", authorizer(lab, leewaySeconds=32))
    shop, retired = clients(lab)["shop"], issuer.key("ES256")
    assert call(lab, shop, issuer.token("shop")).status == 200
    issuer.rotate()
    issuer.retire()
    assert call(lab, shop, issuer.token("shop", key=retired)).status == 200, "not fetched yet"
    assert call(lab, shop, issuer.token("shop")).status == 200
    assert call(lab, shop, issuer.token("shop", key=retired)).status == 401


def test_an_issuer_fails_in_every_way_under_load_with_no_wrong_answer(lab: Lab, issuer: Issuer):
    lab.deploy("dev", authorizer(lab, leewaySeconds=33))
    shop = clients(lab)["shop"]
    stranger = make_key("p-256")
    unknown = Load(shop, [(lambda: issuer.token("shop", key=stranger), 401)])
    with under(loads(lab, issuer) * 3) as counted:
        wait_for(counted, 60)  # environments with keys, more of them than there are calls below
    assert wrong(counted) == {}
    with under(loads(lab, issuer)) as counted:
        for outage in OUTAGES:
            issuer.outage = outage
            with under([unknown]) as of_unknown:  # makes it ask for keys, as far as it ever does
                wait_for(counted, 20)
            issuer.outage = None
            assert wrong(of_unknown) == {}, outage
        wait_for(counted, 20)
    assert wrong(counted) == {}


def test_without_any_keys_it_refuses_everyone_until_it_has_them(lab: Lab, issuer: Issuer):
    issuer.outage = "refuse"
    lab.deploy("dev", authorizer(lab, leewaySeconds=34))
    shop = clients(lab)["shop"]
    answer = call(lab, shop, fresh(lab, "shop"))
    assert (answer.status, answer.body) == (401, '{"message":"Unauthorized"}')
    issuer.outage = None
    pause = threading.Event()
    for _ in range(40):
        answer = call(lab, shop, fresh(lab, "shop"))
        if answer.status == 200:
            break
        assert answer.status == 401
        pause.wait(0.5)
    assert answer.body == WIDGET


def test_clients_that_alternate_over_one_cached_path_are_never_taken_for_each_other(lab: Lab):
    lab.deploy("dev", authorizer(lab, leewaySeconds=35, cacheTtlSeconds=300))
    callers, log = clients(lab), lab.access_log
    invoked = invocations(lab)
    answers: list[tuple[str, Answer]] = []
    for _ in range(6):
        answers += [(name, curl(one.door, one.files, "/whoami")) for name, one in callers.items()]
    for name, answer in answers:
        assert answer.json["subject"] == f"CN={name}"
        assert log.entry(answer)["tenant"] == name
    assert invocations(lab) - invoked == len(callers), "the others are remembered"
    tokens = {name: one.files.headers["Authorization"][7:] for name, one in callers.items()}
    for name, other in (("shop", "acme"), ("acme", "shop")):
        assert call(lab, callers[name], tokens[other]).status == 403
        assert call(lab, callers[name], tokens[name]).status == 200


def test_clients_that_alternate_at_once_are_never_taken_for_each_other(lab: Lab):
    shop, acme = clients(lab).values()
    own = {one.name: one.files.headers["Authorization"][7:] for one in (shop, acme)}
    calls = [
        Load(one, [(lambda t=own[one.name]: t, 200), (lambda t=own[other.name]: t, 403)])
        for one, other in ((shop, acme), (acme, shop), (shop, acme), (acme, shop))
    ]
    with under(calls) as counted:
        wait_for(counted, 200)
    assert wrong(counted) == {}
    assert counted[403, 403] > 100


def test_a_forged_header_does_not_find_the_answer_remembered_for_another(lab: Lab):
    """Whoever has another's token and certificate, which are no secrets, but not the key."""
    callers = clients(lab)
    shop = callers["shop"]
    stolen = shop.files.headers["Authorization"][7:]
    assert curl(shop.door, shop.files, "/widgets").status == 200
    assert shop.files.cert
    leaf = shop.files.cert.read_text().partition("-----END CERTIFICATE-----")
    pem = quote(f"{leaf[0]}{leaf[1]}\n", safe="+=/")  # to the byte what the load balancer writes
    for name in ("X-Client-Cert-Leaf", "x-client-cert-leaf", "X-Amzn-Mtls-Clientcert-Leaf"):
        header = ("--header", f"{name}: {pem}")
        assert call(lab, callers["acme"], stolen, *header).status == 403
        assert call(lab, callers["acme"], None, *header).status in (401, 403)


def test_two_tokens_are_none(lab: Lab):
    shop, other = clients(lab)["shop"], fresh(lab, "acme")
    header = ("--header", f"Authorization: Bearer {other}")
    assert call(lab, shop, fresh(lab, "shop"), *header).status == 401


def test_what_is_remembered_outlives_a_block_by_the_ttl_and_no_new_token_does(lab: Lab):
    blocked = json.loads(lab.configs["dev"]["mtls:clients"])
    blocked["shop"]["blocked"] = True
    for ttl, still in ((300, 200), (0, 403)):
        given = authorizer(lab, cacheTtlSeconds=ttl)
        lab.deploy("dev", given)
        shop, token = clients(lab)["shop"], fresh(lab, "shop")
        assert call(lab, shop, token).status == 200
        lab.deploy("dev", {**given, "mtls:clients": json.dumps(blocked)})
        assert call(lab, shop, token).status == still, f"remembered for {ttl} s"
        refused = call(lab, shop, fresh(lab, "shop"))
        assert refused.status == 403
        assert lab.access_log.entry(refused)["reason"] == "tenant_blocked"
        acme = clients(lab)["acme"]
        assert curl(acme.door, acme.files, "/widgets").status == 200, "nobody else is blocked"


def test_a_route_wants_its_scopes_of_a_remembered_caller_too(lab: Lab, issuer: Issuer):
    lab.deploy("dev", authorizer(lab, scopes={"GET /whoami": ["whoami.read"]}))
    shop = clients(lab)["shop"]
    for scopes, status in (((), 403), (("whoami.read",), 200)):
        for paths in (("/widgets", "/whoami"), ("/whoami", "/widgets")):
            token = issuer.token("shop", scopes=scopes)
            answers = {path: call(lab, shop, token, path=path) for path in paths}
            assert answers["/widgets"].status == 200
            assert answers["/whoami"].status == status
            if status == 403:
                asked = answers["/whoami"].header("WWW-Authenticate")
                assert asked == 'Bearer realm="api", error="insufficient_scope"'


def test_an_unbound_token_is_taken_where_binding_is_optional_but_never_a_wrong_one(
    lab: Lab, issuer: Issuer
):
    given = json.loads(lab.configs["dev"]["mtls:clients"])
    given["shop"]["binding"] = "optional"
    lab.deploy("dev", {"mtls:clients": json.dumps(given)})
    shop = clients(lab)["shop"]
    assert call(lab, shop, issuer.token("shop", claims={"cnf": None})).status == 200
    another = issuer.clients["acme"].certificate
    assert call(lab, shop, issuer.token("shop", bound_to=another)).status == 401


def test_no_token_key_or_certificate_is_in_any_log(lab: Lab):
    """After all of the above."""
    found: dict[str, int] = {}
    logs = lab.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
        lines = [event["message"] for page in pages for event in page["events"]]
        found[name] = len(lines)
        for line in lines:
            assert not any(secret in line for secret in ("eyJ", "Bearer", "BEGIN", "MII"))
    assert found[authorizer_log(lab)] > 100


def test_a_stack_without_an_authorizer_takes_the_certificate_alone(lab: Lab):
    lab.deploy("dev", {"mtls:authorizer": json.dumps({"kind": "none"})})
    assert (lab.tokens.issuer, lab.tokens.described({})) == (None, None)
    for client in lab.clients():
        assert client.files.token is None
        assert client.described()["token_file"] is None
        assert curl(client.door, client.files, "/widgets").body == WIDGET
    lab.deploy("dev")
    for client in lab.clients():
        assert call(lab, client, None).status == 401
        assert curl(client.door, client.files, "/widgets").body == WIDGET


def authorizer_log(lab: Lab) -> str:
    """The log group of the function."""
    groups = lab.client("logs").describe_log_groups()["logGroups"]
    (name,) = [one["logGroupName"] for one in groups if AUTHORIZER in one["logGroupName"]]
    return name


def invocations(lab: Lab) -> int:
    """How often the function was."""
    pages = lab.client("logs").get_paginator("filter_log_events")
    events = pages.paginate(logGroupName=authorizer_log(lab))
    return sum(event["message"].startswith("START ") for page in events for event in page["events"])
