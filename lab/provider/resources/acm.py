"""aws:acm: certificates and waiting for their validation."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, GoneError, UnfinishedError
from lab.provider.resource_type import ResourceType, tag_list, tag_map
from lab.provider.schema import block, blocks, mapping, output, table, text, texts

_VALIDATION_OPTION = {
    "domainName": text(),
    "resourceRecordName": text(),
    "resourceRecordType": text(),
    "resourceRecordValue": text(),
}
_BODY = ("certificateBody",)


class Certificate(ResourceType):
    """A requested certificate, or an imported one when `privateKey` and `certificateBody` are
    given.
    """

    urn_type = "aws:acm/certificate:Certificate"
    title = "ACM Certificate"
    service = "acm"
    gone = frozenset({"ResourceNotFoundException"})
    properties = table(
        {
            "domainName": text(computed=True, replaces=True, follows=_BODY),
            "validationMethod": text(computed=True, replaces=True),
            "subjectAlternativeNames": texts(computed=True, replaces=True, follows=_BODY),
            "keyAlgorithm": text(computed=True, replaces=True, follows=_BODY),
            "certificateAuthorityArn": text(replaces=True),
            "certificateBody": text(unread=True),
            "certificateChain": text(unread=True),
            "privateKey": text(secret=True, unread=True),
            "options": block(
                {"certificateTransparencyLoggingPreference": text(), "export": text()},
                computed=True,
                replaces=True,
            ),
            "tags": mapping(),
            "arn": output(aws="CertificateArn"),
            "status": output(),
            "type": output(),
            "notBefore": output(follows=_BODY),
            "notAfter": output(follows=_BODY),
            "renewalEligibility": output(),
            "domainValidationOptions": blocks(_VALIDATION_OPTION, output=True),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs.get("domainName", ""))

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, "domainName", "certificateBody")

    def _import(self, aws: Aws, inputs: Mapping[str, Any], **which: Any) -> str:
        made = aws.client("acm").import_certificate(
            Certificate=inputs["certificateBody"].encode(),
            PrivateKey=inputs.get("privateKey", "").encode(),
            **(
                {"CertificateChain": inputs["certificateChain"].encode()}
                if inputs.get("certificateChain")
                else {}
            ),
            **which,
        )
        return made["CertificateArn"]

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        tags = {"Tags": tag_list(inputs["tagsAll"])} if inputs.get("tagsAll") else {}
        if inputs.get("certificateBody"):
            return self._import(aws, inputs, **tags)
        names = ("domainName", "validationMethod", "subjectAlternativeNames", "keyAlgorithm")
        asked = self.to_aws(inputs, (*names, "certificateAuthorityArn", "options"))
        return aws.client("acm").request_certificate(**asked, **tags)["CertificateArn"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs.get("validationMethod") == "DNS":
            aws.wait_until(
                f"ACM Certificate ({id_}) to have its validation records",
                lambda: all("ResourceRecord" in one for one in _validations(aws, id_)),
            )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        client = aws.client("acm")
        detail = client.describe_certificate(CertificateArn=id_)["Certificate"]
        outputs = self.from_aws(detail)
        validations = _validations(aws, id_)
        methods = {one.get("ValidationMethod") for one in validations}
        alternative = [
            name
            for name in detail.get("SubjectAlternativeNames", [])
            if name != detail["DomainName"]
        ]
        wanted = known.get("subjectAlternativeNames") or []
        return {
            **outputs,
            "subjectAlternativeNames": detail.get("SubjectAlternativeNames", [])
            if detail["DomainName"] in wanted
            else alternative,
            "keyAlgorithm": str(detail.get("KeyAlgorithm", "")).replace("-", "_") or None,
            "validationMethod": methods.pop() if len(methods) == 1 else None,
            "domainValidationOptions": [
                {
                    "domainName": one["DomainName"],
                    "resourceRecordName": one["ResourceRecord"]["Name"],
                    "resourceRecordType": one["ResourceRecord"]["Type"],
                    "resourceRecordValue": one["ResourceRecord"]["Value"],
                }
                for one in validations
                if "ResourceRecord" in one
            ],
            **{
                name: detail[key].strftime("%Y-%m-%dT%H:%M:%SZ")
                for name, key in _TIMES
                if key in detail
            },
            "tagsAll": tag_map(client.list_tags_for_certificate(CertificateArn=id_)["Tags"]),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self._import(aws, new, CertificateArn=id_)

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        client = aws.client("acm")
        if drop:
            client.remove_tags_from_certificate(
                CertificateArn=id_, Tags=[{"Key": key} for key in drop]
            )
        if put:
            client.add_tags_to_certificate(CertificateArn=id_, Tags=tag_list(put))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("acm").delete_certificate(CertificateArn=id_)


_TIMES = (("notBefore", "NotBefore"), ("notAfter", "NotAfter"))


def _validations(aws: Aws, arn: str) -> list[dict[str, Any]]:
    detail = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return detail.get("DomainValidationOptions", [])


class CertificateValidation(ResourceType):
    """Waits until the certificate is issued. It is nothing in AWS, so deleting it does nothing."""

    urn_type = "aws:acm/certificateValidation:CertificateValidation"
    title = "ACM Certificate Validation"
    service = "acm"
    gone = frozenset({"ResourceNotFoundException"})
    properties = table(
        {
            "certificateArn": text(required=True, replaces=True),
            "validationRecordFqdns": texts(replaces=True, unread=True),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("certificateArn") or id_)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        arn = inputs["certificateArn"]
        if inputs.get("validationRecordFqdns"):
            given = {name.rstrip(".") for name in inputs["validationRecordFqdns"]}
            for one in _validations(aws, arn):
                name = one.get("ResourceRecord", {}).get("Name", "").rstrip(".")
                if name and name not in given:
                    raise UnfinishedError(
                        f"missing {one['DomainName']} DNS validation record: {name}"
                    )
        aws.wait_until(f"ACM Certificate ({arn}) to be issued", lambda: self._issued(aws, arn))
        return arn

    def _issued(self, aws: Aws, arn: str) -> bool:
        detail = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        if detail["Status"] == "FAILED":
            raise UnfinishedError(
                f"unexpected state 'FAILED', wanted 'ISSUED': {detail.get('FailureReason')}"
            )
        return detail["Status"] == "ISSUED"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        arn = known.get("certificateArn", id_)
        if not self._issued(aws, arn):
            raise GoneError
        return {"certificateArn": arn}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        pass


TYPES = (Certificate, CertificateValidation)
