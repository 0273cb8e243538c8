"""Where the API Gateway API answers (moto's form): moto's URLs, and this lab's `Response`."""

from moto.apigateway.responses import APIGatewayResponse
from moto.apigateway.urls import url_bases
from moto.apigateway.urls import url_paths as moto_paths

from lab.cloud.apigateway.responses import Response

__all__ = ["url_bases", "url_paths"]

url_paths = {
    path: Response.dispatch if getattr(handler, "__self__", None) is APIGatewayResponse else handler
    for path, handler in moto_paths.items()
} | dict.fromkeys(
    (
        "{0}/tags/arn:(?P<partition>[^/]+):apigateway:(?P<region_name>[^/]+):(?P<account_id>[0-9]*):"
        "/(?P<resource>.+)$",
        "{0}/domainnameaccessassociations$",
        "{0}/domainnameaccessassociations/(?P<association_arn>.+)$",
        "{0}/rejectdomainnameaccessassociations$",
    ),
    Response.dispatch,
)
