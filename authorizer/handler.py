"""What Lambda calls: `authorizer.handler.handle`."""

import functools
import time
import traceback
from pathlib import Path
from typing import Any

from authorizer import config, keys, logs
from authorizer.certificates import CHAIN_HEADER, LEAF_HEADER, check_leaf
from authorizer.config import Config
from authorizer.decision import Answer, Authorizer
from authorizer.errors import ConfigError, UnauthorizedError
from authorizer.key_source import KeySource, RemoteKeys, StaticKeys
from authorizer.policy import Policies
from authorizer.request import request_id
from authorizer.tenants import Tenants
from authorizer.tokens import TokenVerifier

PACKAGE = Path(__file__).resolve().parents[1]
"""The root of the deployment package, where `config.json` and the other files lie."""


def handle(event: Any, _context: object) -> Answer:
    """Answer one event of a REQUEST authorizer.

    Raises an Exception of which the text is exactly "Unauthorized", the one that API Gateway
    answers with 401; never another, as that would be a 500 that tells a caller too much.
    """
    try:
        return authorizer().answer(event)
    except UnauthorizedError as error:
        logs.warning("unauthorized", requestId=request_id(event), reason=error.reason)
    except ConfigError as error:
        logs.error("not configured", why=str(error))
    except Exception as error:
        # Its text may hold what the caller sent; where it came from does not.
        logs.error("failed", requestId=request_id(event), error=type(error).__name__, at=_at(error))
    raise Exception("Unauthorized")


@functools.cache
def authorizer() -> Authorizer:
    """Of this package's files, once an execution environment."""
    return load(PACKAGE)


def load(package: Path) -> Authorizer:
    """Raises ConfigError for a file that lacks or cannot be used."""
    logs.set_up()
    settings = config.parse(_read(package, "config.json"))
    header, check = LEAF_HEADER, check_leaf
    if settings.mode == "passthrough":
        from authorizer.chain import ChainVerifier

        revocations = package / "revocations.pem"
        verifier = ChainVerifier(
            _read(package, "ca-bundle.pem"),
            revocations.read_bytes() if revocations.exists() else None,
        )
        header, check = CHAIN_HEADER, verifier.check
    return Authorizer(
        certificate_header=header,
        check=check,
        tokens=TokenVerifier(settings, _keys(settings, package)),
        tenants=Tenants(settings.tenants),
        policies=Policies(settings.routes),
        clock=time.time,
    )


def _keys(settings: Config, package: Path) -> KeySource:
    def parse(text: bytes) -> keys.KeySet:
        return keys.parse(text, settings.algorithms)

    if settings.jwks_uri is None:
        try:
            return StaticKeys(parse(_read(package, "jwks.json")))
        except keys.UnusableKeysError as error:
            raise ConfigError(f"jwks.json: {error}") from None
    from authorizer.fetch import fetch

    return RemoteKeys(functools.partial(fetch, settings.jwks_uri), parse)


def _read(package: Path, name: str) -> bytes:
    try:
        return (package / name).read_bytes()
    except OSError:
        raise ConfigError(f"{name}: not in the deployment package") from None


def _at(error: Exception) -> str:
    """File and line of the innermost frame."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{Path(frame.f_code.co_filename).name}:{line}"
