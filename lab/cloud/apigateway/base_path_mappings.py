"""Base path mappings: which API and stage a custom domain name serves below a path.

"CreateBasePathMapping" (API Gateway REST API Reference): `(none)` is the path of a mapping without
one; a mapping without a stage leaves the stage to the caller's path. A private custom domain name
maps private APIs only; a regional one maps private APIs too, for callers that reach it through a
VPC endpoint.
"""

from typing import Any

from moto.apigateway.exceptions import (
    BasePathConflictException,
    BasePathNotFoundException,
    InvalidBasePathException,
    InvalidRestApiIdForBasePathMappingException,
    InvalidStageException,
)

from lab.cloud.apigateway.domain_names import Domain, DomainNameBackend
from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.apigateway.patches import invalid_path, text

NONE = "(none)"
PATHS = {"/basePath": "basePath", "/restapiId": "restApiId", "/stage": "stage"}


class BasePathMappingBackend(DomainNameBackend):
    """The mappings of one account's custom domain names."""

    apis: dict[str, Any]

    def map_base_path(
        self, domain: Domain, base_path: str | None, api_id: str, stage: str | None
    ) -> dict[str, str]:
        """The mapping as the API answers it."""
        mapping = self._mapping(domain, base_path, api_id, stage)
        if mapping["basePath"] in domain.mappings:
            raise BasePathConflictException()
        domain.mappings[mapping["basePath"]] = mapping
        return mapping

    def base_path_mapping(self, domain: Domain, base_path: str) -> dict[str, str]:
        if base_path not in domain.mappings:
            raise BasePathNotFoundException()
        return domain.mappings[base_path]

    def patch_base_path_mapping(
        self, domain: Domain, base_path: str, patches: list[dict[str, str]]
    ) -> dict[str, str]:
        changed = dict(self.base_path_mapping(domain, base_path))
        for patch in patches:
            if patch["op"] != "replace" or patch["path"] not in PATHS:
                raise invalid_path(patch, PATHS)
            changed[PATHS[patch["path"]]] = text(patch)
        mapping = self._mapping(
            domain, changed["basePath"], changed["restApiId"], changed.get("stage")
        )
        if mapping["basePath"] != base_path and mapping["basePath"] in domain.mappings:
            raise BasePathConflictException()
        del domain.mappings[base_path]
        domain.mappings[mapping["basePath"]] = mapping
        return mapping

    def unmap_base_path(self, domain: Domain, base_path: str) -> None:
        self.base_path_mapping(domain, base_path)
        del domain.mappings[base_path]

    def check_unmapped(self, api_id: str) -> None:
        """An API that a custom domain name serves is not deleted (AWS's words)."""
        if any(
            mapping["restApiId"] == api_id
            for domain in self.domains
            for mapping in domain.mappings.values()
        ):
            raise BadRequestException(
                "Please remove all base path mappings related to the API in your account before"
                " deleting the API."
            )

    def _mapping(
        self, domain: Domain, base_path: str | None, api_id: str, stage: str | None
    ) -> dict[str, str]:
        base_path = base_path or NONE
        if "/" in base_path:
            raise InvalidBasePathException()
        if api_id not in self.apis:
            raise InvalidRestApiIdForBasePathMappingException()
        api = self.apis[api_id]
        if domain.is_private and not api.is_private:
            raise BadRequestException("Only private APIs can be mapped to private domain names.")
        if stage and stage not in api.stages:
            raise InvalidStageException()
        return {"basePath": base_path, "restApiId": api_id} | ({"stage": stage} if stage else {})
