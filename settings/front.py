"""What stands in front of a producer's API."""

from collections.abc import Mapping
from typing import Any, TypedDict, get_args

from components import ApiTarget, Client, ExistingAlbArgs, PathRoute
from components.mtls_alb_front import TLS_POLICY, MutualAuthentication
from settings import tenants
from settings.network import clients
from settings.reader import PROJECT, Reader, SettingError, entry, text, texts, whole


class FrontSettings(TypedDict):
    """What `MtlsAlbFrontArgs` takes from the configuration."""

    domain: str
    clients: Mapping[str, Client]
    path_routes: Mapping[str, PathRoute]
    web_acl_arn: str | None
    tls_policy: str
    mode: MutualAuthentication


def front_settings(read: Reader) -> tuple[FrontSettings, tuple[str, ...]]:
    """Those of the front, and the ids of the APIs that path routes lead to. Raises SettingError."""
    path_routes, api_ids = _path_routes(read)
    settings: FrontSettings = {
        "domain": read.domain("domain"),
        "clients": clients(read, *tenants.KEYS),
        "path_routes": path_routes,
        "web_acl_arn": read.arn("webAclArn", "wafv2") or None,
        "tls_policy": read.text("tlsPolicy", TLS_POLICY),
        "mode": read.one_of("mutualAuthentication", get_args(MutualAuthentication)),
    }
    return settings, api_ids


def _path_routes(read: Reader) -> tuple[dict[str, PathRoute], tuple[str, ...]]:
    """The routes, and the ids of the APIs that some of them lead to."""
    api_ids: list[str] = []
    suffix = "amazonaws.com.cn" if read.partition() == "aws-cn" else "amazonaws.com"

    def route(field: str, value: Any) -> PathRoute:
        keys = {"paths", "targetGroupArn", "priority", "securityGroupId", "port", "apiId", "stage"}
        example = "{paths: [/reports/*], targetGroupArn: arn:…, priority: 100}"
        given = entry(field, value, keys, example)
        if missing := {"paths", "priority"} - given.keys():
            raise SettingError(f"{field}: want {example}; got no {', '.join(sorted(missing))}")
        if ("apiId" in given) != ("stage" in given):
            raise SettingError(
                f"{field}: want both apiId and stage, as in {{apiId: abc123, stage: live}}; "
                f"got one of them"
            )
        target: ApiTarget | None = None
        if "apiId" in given:
            api_ids.append(text(f"{field}.apiId", given["apiId"]))
            host = f"{given['apiId']}.execute-api.{read.region()}.{suffix}"
            target = ApiTarget(host=host, stage_name=text(f"{field}.stage", given["stage"]))
        return PathRoute(
            path_patterns=texts(f"{field}.paths", given["paths"], "[/reports/*]"),
            target_group_arn=given.get("targetGroupArn"),
            api=target,
            priority=whole(f"{field}.priority", given["priority"]),
            security_group_id=given.get("securityGroupId"),
            port=whole(f"{field}.port", given.get("port", 443)),
        )

    return read.map("pathRoutes", route), tuple(api_ids)


def existing_alb(read: Reader) -> ExistingAlbArgs | None:
    given = read.map("alb", text)
    if not given:
        return None
    if set(given) != {"arn", "securityGroupId"}:
        raise SettingError(
            f"{PROJECT}:alb: want both keys, as in {{arn: arn:…, securityGroupId: sg-0abc}}; "
            f"got {', '.join(given)}"
        )
    return ExistingAlbArgs(arn=given["arn"], security_group_id=given["securityGroupId"])
