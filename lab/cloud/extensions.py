"""The one place where moto's services are replaced by ours.

A package `lab/cloud/<package>/` takes the place of a moto service in moto's own form:

- `models.py` defines `Backend`, a subclass of moto's backend class; it is put into moto's own
  backend dict, so that every other moto service sees it too. It may define `start()`, which runs
  for each new API;
- `urls.py` defines `url_bases` and `url_paths` as moto's do (moto reads the `urls` beside the
  backend's `models`), with a subclass of moto's response class as the handler, and, where the
  service has locations that are no part of AWS's API (it hands them out, or takes reports there),
  `internal_routes`: the path below `/_lab/` to a function `(tail, query) -> bytes`, which raises
  LookupError for what is not there.

Only packages that exist are plugged in; the rest stay moto's.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import moto.backends
import moto.elb.urls

# moto declares one overload per service, so that a name in a variable fits none of them
get_backend: Callable[[str], Any] = cast(Any, moto.backends.get_backend)

InternalRoute = Callable[[str, Mapping[str, str]], bytes]

HERE = Path(__file__).parent

# our package -> moto's name of the service
EXTENSIONS = {
    "acm": "acm",
    "apigateway": "apigateway",
    "ec2": "ec2",
    "elbv2": "elbv2",
    "iam_": "iam",
    "lambda_": "awslambda",
    "logs_": "logs",
    "route53": "route53",
    "s3": "s3",
    "sns_": "sns",
    "sts_": "sts",
}


def plug_in() -> dict[str, InternalRoute]:
    """Replaces the services' backends for a new API; answers the routes that they serve."""
    routes: dict[str, InternalRoute] = {}
    for package, service in EXTENSIONS.items():
        if not all((HERE / package / f"{part}.py").is_file() for part in ("models", "urls")):
            continue
        models = importlib.import_module(f"lab.cloud.{package}.models")
        urls = importlib.import_module(f"lab.cloud.{package}.urls")
        backends = get_backend(service)
        backends.backend = models.Backend
        backends.clear()
        getattr(models, "start", lambda: None)()
        routes.update(getattr(urls, "internal_routes", {}))
        if package == "elbv2":
            # ELB and ELBv2 share a host name; moto tells them apart in elb's URLs, by API version.
            elb_urls: Any = moto.elb.urls
            elb_urls.ELBV2Response = urls.Response
    return routes
