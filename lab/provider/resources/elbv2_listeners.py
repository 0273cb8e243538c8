"""aws:lb: listeners and their rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resources.elbv2_attributes import Attribute, ElbType, attribute_properties
from lab.provider.schema import (
    Kind,
    RefusalError,
    block,
    blocks,
    flag,
    integer,
    mapping,
    output,
    table,
    text,
    texts,
)

_ACTION = {
    "type": text(required=True),
    "order": integer(computed=True),
    "targetGroupArn": text(),
    "fixedResponse": block(
        {
            "contentType": text(required=True),
            "messageBody": text(),
            "statusCode": text(computed=True),
        },
        aws="FixedResponseConfig",
    ),
    "redirect": block(
        {
            "protocol": text(default="#{protocol}"),
            "port": text(default="#{port}"),
            "host": text(default="#{host}"),
            "path": text(default="/#{path}"),
            "query": text(default="#{query}"),
            "statusCode": text(required=True),
        },
        aws="RedirectConfig",
    ),
    "forward": block(
        {
            "targetGroups": blocks(
                {"arn": text(required=True, aws="TargetGroupArn"), "weight": integer(default=1)},
                required=True,
                unordered=True,
            ),
            "stickiness": block(
                {
                    "duration": integer(required=True, aws="DurationSeconds"),
                    "enabled": flag(default=False),
                },
                aws="TargetGroupStickinessConfig",
            ),
        },
        aws="ForwardConfig",
    ),
    "jwtValidation": block(
        {
            "issuer": text(required=True),
            "jwksEndpoint": text(required=True),
            "additionalClaims": blocks(
                {"format": text(required=True), "name": text(required=True), "values": texts()},
                unordered=True,
            ),
        },
        aws="JwtValidationConfig",
    ),
}

_RESPONSE = "routing.http.response"
_ATTRIBUTES = {
    "routingHttpResponseServerEnabled": Attribute(
        key=f"{_RESPONSE}.server.enabled", kind=Kind.FLAG, default=True
    ),
    **{
        f"routingHttpRequestXAmzn{pulumi}HeaderName": Attribute(
            key=f"routing.http.request.x_amzn_{part}.header_name",
            follows=("protocol",),  # only HTTPS listeners have these
        )
        for pulumi, part in (
            ("MtlsClientcert", "mtls_clientcert"),
            ("MtlsClientcertIssuer", "mtls_clientcert_issuer"),
            ("MtlsClientcertLeaf", "mtls_clientcert_leaf"),
            ("MtlsClientcertSerialNumber", "mtls_clientcert_serial_number"),
            ("MtlsClientcertSubject", "mtls_clientcert_subject"),
            ("MtlsClientcertValidity", "mtls_clientcert_validity"),
            ("TlsVersion", "tls_version"),
            ("TlsCipherSuite", "tls_cipher_suite"),
        )
    },
    **{
        f"routingHttpResponse{pulumi}HeaderValue": Attribute(key=f"{_RESPONSE}.{part}.header_value")
        for pulumi, part in (
            ("AccessControlAllowCredentials", "access_control_allow_credentials"),
            ("AccessControlAllowHeaders", "access_control_allow_headers"),
            ("AccessControlAllowMethods", "access_control_allow_methods"),
            ("AccessControlAllowOrigin", "access_control_allow_origin"),
            ("AccessControlExposeHeaders", "access_control_expose_headers"),
            ("AccessControlMaxAge", "access_control_max_age"),
            ("ContentSecurityPolicy", "content_security_policy"),
            ("StrictTransportSecurity", "strict_transport_security"),
            ("XContentTypeOptions", "x_content_type_options"),
            ("XFrameOptions", "x_frame_options"),
        )
    },
}


_MUTUAL = "aws:lb/listener:Listener: mutualAuthentication"
_IS = "mutualAuthentication.mode is"


class Listener(ElbType):
    urn_type = "aws:lb/listener:Listener"
    title = "ELBv2 Listener"
    gone = frozenset({"ListenerNotFound"})
    attributes = _ATTRIBUTES
    attribute_calls = ("modify_listener_attributes", "describe_listener_attributes", "ListenerArn")
    properties = table(
        {
            "loadBalancerArn": text(required=True, replaces=True),
            "port": integer(),
            "protocol": text(computed=True),
            "sslPolicy": text(computed=True, follows=("protocol",)),
            "certificateArn": text(),
            "defaultActions": blocks(_ACTION, required=True),
            "mutualAuthentication": block(
                {
                    "mode": text(required=True),
                    "trustStoreArn": text(),
                    "ignoreClientCertificateExpiry": flag(computed=True),
                    "advertiseTrustStoreCaNames": text(computed=True),
                },
                computed=True,
                follows=("protocol",),
            ),
            **attribute_properties(_ATTRIBUTES),
            "tags": mapping(),
            "arn": output(aws="ListenerArn"),
        }
    )
    _own = ("port", "protocol", "sslPolicy", "defaultActions", "mutualAuthentication")

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs.get("loadBalancerArn", ""))

    def validate(self, inputs: Mapping[str, Any]) -> None:
        """What belongs to verify is refused in the other modes, even where it says false or off."""
        mutual = inputs.get("mutualAuthentication") or {"mode": "off"}
        mode = mutual["mode"]
        if mode == "verify":
            if not mutual.get("trustStoreArn"):
                raise RefusalError(f"{_MUTUAL}.trustStoreArn must be specified when {_IS} verify")
            return
        for name in (
            "trustStoreArn",
            "ignoreClientCertificateExpiry",
            "advertiseTrustStoreCaNames",
        ):
            if mutual.get(name) is not None:
                raise RefusalError(f"{_MUTUAL}.{name} cannot be specified when {_IS} {mode}")

    def _parameters(self, inputs: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
        asked = self.to_aws(inputs, names & set(self._own))
        if "certificateArn" in names and inputs.get("certificateArn"):
            asked["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
        return asked

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        made = aws.client("elbv2").create_listener(
            LoadBalancerArn=inputs["loadBalancerArn"],
            **self._parameters(inputs, frozenset(inputs)),
            **self.tag_arguments(inputs),
        )
        return first(made["Listeners"])["ListenerArn"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        self.set_attributes(aws, id_, self.initial_pairs(inputs))

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("elbv2").describe_listeners(ListenerArns=[id_])
        listener = first(found["Listeners"])
        certificates = listener.get("Certificates") or [{}]
        return {
            **self.from_aws(listener, ("loadBalancerArn", "arn", *self._own)),
            "certificateArn": certificates[0].get("CertificateArn"),
            **self.read_attributes(self.described_attributes(aws, id_)),
            "tagsAll": self.tags(aws, id_),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        if asked := self._parameters(new, changed):
            aws.client("elbv2").modify_listener(ListenerArn=id_, **asked)
        self.set_attributes(aws, id_, self.attribute_pairs(new, sorted(changed)))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("elbv2").delete_listener(ListenerArn=id_)


_PATTERNS = {"values": texts(), "regexValues": texts()}
_CONDITION = {
    "hostHeader": block(_PATTERNS, aws="HostHeaderConfig"),
    "pathPattern": block(_PATTERNS, aws="PathPatternConfig"),
    "httpHeader": block(
        {"httpHeaderName": text(required=True), **_PATTERNS}, aws="HttpHeaderConfig"
    ),
    "httpRequestMethod": block({"values": texts(required=True)}, aws="HttpRequestMethodConfig"),
    "queryStrings": blocks(
        {"key": text(), "value": text(required=True)}, unordered=True, aws="QueryStringConfig"
    ),
    "sourceIp": block({"values": texts()}, aws="SourceIpConfig"),
}
_FIELDS = {
    "HostHeaderConfig": "host-header",
    "PathPatternConfig": "path-pattern",
    "HttpHeaderConfig": "http-header",
    "HttpRequestMethodConfig": "http-request-method",
    "QueryStringConfig": "query-string",
    "SourceIpConfig": "source-ip",
}
_REWRITE = {"rewrite": block({"regex": text(required=True), "replace": text(required=True)})}


def _aws_conditions(conditions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One ELBv2 condition per kind: a Pulumi condition may hold several."""
    made = []
    for condition in conditions:
        for member, config in condition.items():
            value = {"Values": config} if member == "QueryStringConfig" else config
            made.append({"Field": _FIELDS[member], member: value})
    return made


def _read_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    member = next(name for name, field in _FIELDS.items() if field == condition["Field"])
    config = condition.get(member)
    if config is None:  # the older form, in which AWS gives only the values
        config = {"Values": condition.get("Values", [])}
    return {member: config["Values"] if member == "QueryStringConfig" else config}


def _transforms(transforms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pulumi's one `rewrite` as ELBv2's list of one."""
    return [
        {
            key: {"Rewrites": [value["Rewrite"]]} if isinstance(value, dict) else value
            for key, value in transform.items()
        }
        for transform in transforms
    ]


def _read_transform(transform: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: {"Rewrite": value["Rewrites"][0]} if isinstance(value, dict) else value
        for key, value in transform.items()
    }


class ListenerRule(ElbType):
    urn_type = "aws:lb/listenerRule:ListenerRule"
    title = "ELBv2 Listener Rule"
    gone = frozenset({"RuleNotFound", "ListenerNotFound"})
    properties = table(
        {
            "listenerArn": text(required=True, replaces=True),
            "priority": integer(computed=True),
            "conditions": blocks(_CONDITION, required=True, unordered=True),
            "actions": blocks(_ACTION, required=True),
            "transforms": blocks(
                {
                    "type": text(required=True),
                    "hostHeaderRewriteConfig": block(_REWRITE),
                    "urlRewriteConfig": block(_REWRITE),
                },
                unordered=True,
            ),
            "tags": mapping(),
            "arn": output(aws="RuleArn"),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs.get("listenerArn", ""))

    def _parameters(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        asked = self.to_aws(inputs, ("conditions", "actions", "transforms"))
        asked["Conditions"] = _aws_conditions(asked["Conditions"])
        if "Transforms" in asked:
            asked["Transforms"] = _transforms(asked["Transforms"])
        return asked

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        priority = inputs.get("priority") or self._next_priority(aws, inputs["listenerArn"])
        made = aws.client("elbv2").create_rule(
            ListenerArn=inputs["listenerArn"],
            Priority=priority,
            **self._parameters(inputs),
            **self.tag_arguments(inputs),
        )
        return first(made["Rules"])["RuleArn"]

    def _next_priority(self, aws: Aws, listener_arn: str) -> int:
        rules = aws.client("elbv2").describe_rules(ListenerArn=listener_arn)["Rules"]
        return (
            max([int(rule["Priority"]) for rule in rules if rule["Priority"] != "default"] or [0])
            + 1
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        rule = first(aws.client("elbv2").describe_rules(RuleArns=[id_])["Rules"])
        readable = {
            **rule,
            "Conditions": [_read_condition(one) for one in rule["Conditions"]],
            "Transforms": [_read_transform(one) for one in rule.get("Transforms", [])],
        }
        priority = rule["Priority"]
        listener_arn = id_.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        return {
            **self.from_aws(readable, ("conditions", "actions", "transforms", "arn")),
            "listenerArn": listener_arn,
            "priority": int(priority) if priority.isdigit() else None,
            "tagsAll": self.tags(aws, id_),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        client = aws.client("elbv2")
        if "priority" in changed:
            client.set_rule_priorities(
                RulePriorities=[{"RuleArn": id_, "Priority": new["priority"]}]
            )
        if changed & {"conditions", "actions", "transforms"}:
            reset = (
                {} if new.get("transforms") else {"ResetTransforms": bool(old.get("transforms"))}
            )
            reset = {key: value for key, value in reset.items() if value}
            client.modify_rule(RuleArn=id_, **self._parameters(new), **reset)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("elbv2").delete_rule(RuleArn=id_)


TYPES = (Listener, ListenerRule)
