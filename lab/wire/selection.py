"""Which API, stage and path a request at API Gateway asks for.

Source: "Invoke a private API" in the API Gateway Developer Guide (by the API's own name, by the
header `x-apigw-api-id`, by a custom domain name). AWS does not say whether the header or the Host
wins; here the header does, the reading that takes a caller further.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.wire.aws import Accounts, Reader
from lab.wire.domains import Domain, Domains
from lab.wire.exchange import FORBIDDEN, Refused, host_of
from lab.wire.messages import Request
from lab.wire.openapi import Deployments

_HOST = re.compile(
    r"(?P<api>[a-z0-9]+)(-vpce-[0-9a-z]+)?\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
)


@dataclass(frozen=True, kw_only=True)
class Selected:
    """What is asked for. `rest` is the path below the stage, without a slash in front.

    `proxy_path` is the path that a function is told: without the stage where the caller had to name
    it, with the base path of a custom domain ("Lambda proxy integrations").
    """

    reader: Reader
    deployments: Deployments
    api: Mapping[str, Any]
    stage_name: str
    rest: str
    proxy_path: str
    domain: Domain | None = None
    base_path: str = ""

    @property
    def api_arn(self) -> str:
        account_id, api_id = self.reader.account_id, self.api["id"]
        return f"arn:aws:execute-api:{self.reader.region}:{account_id}:{api_id}"


class Selection:
    """The APIs of every account."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._domains = Domains(accounts)
        self._deployments = {reader: Deployments(reader) for reader in accounts.readers}

    def select(self, request: Request, vpc_endpoint_id: str | None) -> Selected:
        """For a request by an endpoint, or in public where that is None. Raises Refused.

        Only private APIs answer: at an endpoint AWS turns others away, and in public nothing but a
        Regional domain name leads to a private one.
        """
        host, asked = host_of(request), request.header("x-apigw-api-id")
        named = _HOST.fullmatch(host)
        if asked is None and named is None:
            return self._by_domain(host, request.path, vpc_endpoint_id)
        if vpc_endpoint_id is None or (asked is None and not self._is_here(named)):
            raise Refused(FORBIDDEN)
        stage_name, _, rest = request.path.lstrip("/").partition("/")
        api_id = asked if asked is not None else named["api"] if named else ""
        reader, api = self._api(api_id)
        return Selected(
            reader=reader,
            deployments=self._deployments[reader],
            api=api,
            stage_name=stage_name,
            rest=rest,
            proxy_path=f"/{rest}",
        )

    def _is_here(self, named: re.Match[str] | None) -> bool:
        return named is not None and named["region"] == self._accounts.region

    def _by_domain(self, host: str, path: str, vpc_endpoint_id: str | None) -> Selected:
        domain = self._domains.find(host, vpc_endpoint_id)
        mapped = self._domains.route(domain, path) if domain else None
        if domain is None or mapped is None:
            raise Refused(FORBIDDEN)
        reader, api = self._api(mapped.api_id)
        return Selected(
            reader=reader,
            deployments=self._deployments[reader],
            api=api,
            stage_name=mapped.stage_name,
            rest=mapped.rest,
            proxy_path=path,
            domain=domain,
            base_path=mapped.base_path,
        )

    def _api(self, api_id: str) -> tuple[Reader, Mapping[str, Any]]:
        for reader, answer in self._accounts.each("apigateway", "get_rest_apis"):
            for api in answer.get("items", ()):
                if api["id"] == api_id and "PRIVATE" in api["endpointConfiguration"]["types"]:
                    return reader, api
        raise Refused(FORBIDDEN)
