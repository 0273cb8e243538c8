"""What the authorizer is measured with: one API of one tenant, its keys, and as many tokens."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from lab.certificates import Authority, Issued
from lab.issuer.tokens import access_token_claims, compact

ISSUER, AUDIENCE, KEY_ID = "https://issuer.example.com", "https://api.example.com", "one"
ARN = "arn:aws:execute-api:eu-west-1:111122223333:abc123/live/GET/widgets"


def make_key(algorithm: str) -> Key:
    match algorithm[:2]:
        case "RS" | "PS":
            return RSAKey.generate_key(2048)
        case "ES":
            return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[algorithm])
        case _:
            return OKPKey.generate_key("Ed25519")


class Case:
    """Tokens of one algorithm, bound to the certificate of the tenant `acme`."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.key = make_key(algorithm)
        members = {"kid": KEY_ID, "alg": algorithm, "use": "sig"}
        self.jwks: dict[str, Any] = {"keys": [self.key.as_dict(private=False) | members]}
        self.client: Issued = Authority.create("root").issue("acme", key="p-256")

    def token(self) -> str:
        """Another one each time."""
        claims = access_token_claims(
            issuer=ISSUER,
            client_id="acme",
            audience=AUDIENCE,
            scopes=["widgets.read"],
            lifetime=timedelta(hours=1),
            certificate=self.client.certificate,
        )
        header = {"alg": self.algorithm, "kid": KEY_ID, "typ": "at+jwt"}
        return compact(header, claims, self.algorithm, self.key)

    def event(self, token: str) -> dict[str, Any]:
        headers = {
            "Accept": "*/*",
            "Authorization": f"Bearer {token}",
            "Host": "api.example.com",
            "User-Agent": "curl/8.14.1",
            "X-Amzn-Trace-Id": "Root=1-67890abc-76543210fedcba9876543210",
            "X-Client-Cert-Leaf": quote(self.client.certificate_pem, safe="+=/"),
            "X-Forwarded-For": "10.20.0.40",
        }
        return {
            "type": "REQUEST",
            "methodArn": ARN,
            "resource": "/widgets",
            "path": "/widgets",
            "httpMethod": "GET",
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"},
        }

    def files(self) -> dict[str, bytes | str]:
        """What the component puts into the package, with static keys."""
        tenant = {
            "certificates": {
                **{kind: [] for kind in ("issuers", "sanDns", "sanUri", "thumbprints")},
                "subjects": ["CN=acme"],
            },
            "tokens": {"subjects": [], "clientIds": ["acme"]},
            "binding": "required",
            "blocked": False,
            "blockedCertificates": [],
        }
        config = {
            "mode": "verify",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": [self.algorithm],
            "jwksUri": None,
            "allowHttp": False,
            "typ": "at+jwt",
            "leewaySeconds": 30,
            "requiredClaims": ["sub"],
            "clientIdClaim": "client_id",
            "routes": ["GET /widgets", "POST /widgets", "GET /whoami"],
            "scopes": {"GET /widgets": ["widgets.read"], "POST /widgets": ["widgets.write"]},
            "tenants": {"acme": tenant},
        }
        return {"config.json": json.dumps(config), "jwks.json": json.dumps(self.jwks)}

    def write(self, folder: Path) -> Path:
        for name, text in self.files().items():
            (folder / name).write_text(str(text))
        return folder


def best_microseconds(
    rounds: int, count: int, runs: Sequence[Callable[[int], None]]
) -> list[float]:
    """The least mean of each, all by turns, so that what else the machine does falls on all.

    Each run is given the number of the round and makes `count` calls.
    """
    least = [float("inf")] * len(runs)
    for number in range(rounds):
        for place, run in enumerate(runs):
            started = time.perf_counter()
            run(number)
            least[place] = min(least[place], time.perf_counter() - started)
    return [seconds / count * 1e6 for seconds in least]
