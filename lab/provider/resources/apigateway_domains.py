"""aws:apigateway: custom domain names, what is mapped below them, and who reaches private ones."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resources.apigateway import ApiGatewayType, settled_policy
from lab.provider.resources.apigateway_patches import replace_patch, replace_patches
from lab.provider.schema import RefusalError, block, document, mapping, output, table, text

_NO_BASE_PATH = "(none)"


def _domain_key(values: Mapping[str, Any]) -> dict[str, str]:
    """How calls name a domain: a private one by its id too."""
    names = ("domainName", "domainNameId")
    return {name: values[name] for name in names if values.get(name)}


class DomainName(ApiGatewayType):
    """Regional and private domain names; edge-optimized ones and mutual TLS are not modelled."""

    urn_type = "aws:apigateway/domainName:DomainName"
    title = "API Gateway Domain Name"
    properties = table(
        {
            "domainName": text(required=True, replaces=True),
            "certificateArn": text(),
            "regionalCertificateArn": text(),
            "endpointConfiguration": block(
                {"types": text(required=True), "ipAddressType": text(computed=True)},
                computed=True,
            ),
            "policy": document(),
            "securityPolicy": text(computed=True),
            "tags": mapping(),
            "arn": output(),
            "domainNameId": output(),
            "regionalDomainName": output(),
            "regionalZoneId": output(aws="regionalHostedZoneId"),
        }
    )
    _paths = table(
        {
            name: f"/{name}"
            for name in ("certificateArn", "regionalCertificateArn", "policy", "securityPolicy")
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs["domainName"])

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_both(inputs, "certificateArn", "regionalCertificateArn")

    def parse_id(self, id_: str) -> dict[str, Any]:
        domain_name, _, domain_name_id = id_.partition("/")
        return {"domainName": domain_name, "domainNameId": domain_name_id}

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("domainName", *self._paths, "endpointConfiguration"))
        if endpoint := asked.get("endpointConfiguration"):
            endpoint["types"] = [endpoint["types"]]
        client = aws.client("apigateway")
        made = client.create_domain_name(**asked, **self.tag_arguments(inputs))
        return "/".join(_domain_key(made).values())

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        domain = aws.client("apigateway").get_domain_name(**self.parse_id_key(id_))
        endpoint = domain["endpointConfiguration"]
        shown = {**domain, "endpointConfiguration": {**endpoint, "types": endpoint["types"][0]}}
        arn = domain.get("domainNameArn") or (
            f"arn:{aws.partition}:apigateway:{aws.region}::/domainnames/{domain['domainName']}"
        )
        invoked = arn.replace(":apigateway:", ":execute-api:")
        return {
            **self.from_aws(shown),
            "policy": settled_policy(invoked, domain.get("policy"), known.get("policy")),
            "arn": arn,
            "tagsAll": domain.get("tags", {}),
        }

    def parse_id_key(self, id_: str) -> dict[str, str]:
        return _domain_key(self.parse_id(id_))

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        patches = replace_patches(self._paths, new, changed)
        if "endpointConfiguration" in changed:
            before, after = old["endpointConfiguration"], new["endpointConfiguration"]
            path = "/endpointConfiguration"
            if after["types"] != before["types"]:
                patches.append(replace_patch(f"{path}/types/0", after["types"]))
            if after.get("ipAddressType") not in (None, before.get("ipAddressType")):
                patches.append(replace_patch(f"{path}/ipAddressType", after["ipAddressType"]))
        client, key = aws.client("apigateway"), self.parse_id_key(id_)
        if patches:
            client.update_domain_name(**key, patchOperations=patches)
        aws.wait_until(
            f"API Gateway Domain Name ({id_}) update",
            lambda: client.get_domain_name(**key)["domainNameStatus"] == "AVAILABLE",
        )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_domain_name(**self.parse_id_key(id_))


class BasePathMapping(ApiGatewayType):
    """What a domain name serves below a path. Its id goes by the path that it was made with."""

    urn_type = "aws:apigateway/basePathMapping:BasePathMapping"
    title = "API Gateway Base Path Mapping"
    properties = table(
        {
            "domainName": text(required=True, replaces=True),
            "domainNameId": text(),
            "basePath": text(),
            "restApi": text(required=True, aws="restApiId"),
            "stageName": text(aws="stage"),
        }
    )
    _paths = table({"basePath": "/basePath", "restApi": "/restapiId", "stageName": "/stage"})

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs["domainName"])

    def parse_id(self, id_: str) -> dict[str, Any]:
        parts = id_.split("/", 2)
        if len(parts) < 2:
            raise RefusalError(
                f"{self.urn_type}: unexpected format for ID ({id_}), expected "
                "DOMAINNAME/BASEPATH or DOMAINNAME/BASEPATH/DOMAINNAMEID"
            )
        return dict(zip(("domainName", "basePath", "domainNameId"), parts, strict=False))

    def _key(self, known: Mapping[str, Any]) -> dict[str, str]:
        return {**_domain_key(known), "basePath": known.get("basePath") or _NO_BASE_PATH}

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = ("domainName", "domainNameId", "basePath", "restApi", "stageName")
        aws.client("apigateway").create_base_path_mapping(**self.to_aws(inputs, names))
        parts = [inputs["domainName"], inputs.get("basePath", ""), inputs.get("domainNameId")]
        return "/".join(part for part in parts if part is not None)

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("apigateway").get_base_path_mapping(**self._key(known))
        base_path = found.get("basePath", _NO_BASE_PATH)
        return {
            **_domain_key(known),
            **self.from_aws(found, ("restApi", "stageName")),
            "basePath": None if base_path == _NO_BASE_PATH else base_path,
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        """A mapping stays where it is: pulumi-aws takes another id of the domain and does nothing,
        which is refused here.
        """
        if "domainNameId" in changed:
            raise UnfinishedError("domainNameId cannot be changed in place")
        aws.client("apigateway").update_base_path_mapping(
            **self._key(old), patchOperations=replace_patches(self._paths, new, changed)
        )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_base_path_mapping(**self._key(known))


class DomainNameAccessAssociation(ApiGatewayType):
    """An endpoint from which a private domain name can be reached."""

    urn_type = "aws:apigateway/domainNameAccessAssociation:DomainNameAccessAssociation"
    title = "API Gateway Domain Name Access Association"
    properties = table(
        {
            "accessAssociationSource": text(required=True, replaces=True),
            "accessAssociationSourceType": text(required=True, replaces=True),
            "domainNameArn": text(required=True, replaces=True),
            "tags": mapping(),
            "arn": output(aws="domainNameAccessAssociationArn"),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs["domainNameArn"])

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = ("accessAssociationSource", "accessAssociationSourceType", "domainNameArn")
        client = aws.client("apigateway")
        made = client.create_domain_name_access_association(
            **self.to_aws(inputs, names), **self.tag_arguments(inputs)
        )
        return made["domainNameAccessAssociationArn"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        association = first([one for one in self._all(aws) if self.from_aws(one)["arn"] == id_])
        return {**self.from_aws(association), "tagsAll": association.get("tags", {})}

    def _all(self, aws: Aws) -> list[dict[str, Any]]:
        """The account's own associations. botocore has no paginator for them."""
        client, items, position = aws.client("apigateway"), [], {}
        while True:
            page = client.get_domain_name_access_associations(resourceOwner="SELF", **position)
            items += page["items"]
            if not page.get("position"):
                return items
            position = {"position": page["position"]}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_domain_name_access_association(
            domainNameAccessAssociationArn=id_
        )


TYPES = (DomainName, BasePathMapping, DomainNameAccessAssociation)
