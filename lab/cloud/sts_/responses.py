"""STS's operations: parameters in, results out (moto's form)."""

from typing import Any

from moto.core.responses import ActionResult
from moto.sts.responses import TokenResponse

from lab.cloud.callers import caller
from lab.cloud.sts_.models import Backend


class Response(TokenResponse):
    """moto's response class, which knows no caller and refuses nobody."""

    def assume_role(self) -> ActionResult:
        request = self._get_params()
        for name in ("Policy", "PolicyArns", "Tags", "SerialNumber", "ProvidedContexts"):
            if name in request:
                raise NotImplementedError(f"AssumeRole with {name}")
        backend: Any = self.backend
        assert isinstance(backend, Backend)  # noqa: S101 (extensions put it there)
        session = backend.assume_role_as(caller(self.get_access_key()), request)
        user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
        return ActionResult({"Credentials": session, "AssumedRoleUser": user})

    def assume_role_with_web_identity(self) -> ActionResult:
        raise NotImplementedError("AssumeRoleWithWebIdentity")

    def assume_role_with_saml(self) -> ActionResult:
        raise NotImplementedError("AssumeRoleWithSAML")
