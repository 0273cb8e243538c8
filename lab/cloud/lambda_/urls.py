"""Where the Lambda API answers, and where a function's code is fetched (moto's form)."""

from collections.abc import Mapping

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.awslambda.urls import url_bases
from moto.awslambda.urls import url_paths as moto_paths

from lab.cloud.lambda_.responses import Response

__all__ = ["internal_routes", "url_bases", "url_paths"]

url_paths = dict.fromkeys(moto_paths, Response.dispatch)


def code(_tail: str, query: Mapping[str, str]) -> bytes:
    """The zip archive of the function, version or alias `arn=…`, as it was deployed."""
    parts = query.get("arn", "").split(":")
    if len(parts) < 7:
        raise LookupError("want ?arn=arn:aws:lambda:region:account:function:name")
    try:
        return lambda_backends[parts[4]][parts[3]].get_function(query["arn"]).code_bytes
    except UnknownFunctionException:
        raise LookupError(f"no function {query['arn']}") from None


internal_routes = {"lambda/code": code}
