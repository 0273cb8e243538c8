"""A running issuer with two clients: `acme`, which has a certificate, and `globex`, without."""

from collections.abc import Iterator

import pytest

from lab.certificates import Authority, Issued
from lab.issuer import ClientRegistration, Issuer

AUDIENCE = "https://api.example.com"


@pytest.fixture(scope="session")
def certificate() -> Issued:
    return Authority.create("Clients").issue("acme", "p-256")


@pytest.fixture
def issuer(certificate: Issued) -> Iterator[Issuer]:
    scopes = ("widgets.read", "widgets.write")
    clients = {
        "acme": ClientRegistration(scopes=scopes, certificate=certificate.certificate),
        "globex": ClientRegistration(),
    }
    with Issuer(AUDIENCE, clients) as issuer:
        yield issuer
