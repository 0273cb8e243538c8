"""Base path mappings of custom domain names."""

import pytest

from .domains import named


@pytest.mark.parametrize("kind", ["private", "regional"])
def test_a_private_api_is_mapped_below_a_path(gateway, request, create_api, refused, kind):
    domain, api_id = request.getfixturevalue(kind)(), create_api()
    root = gateway.create_base_path_mapping(**named(domain), restApiId=api_id, stage="v1")
    assert (root["basePath"], root["restApiId"], root["stage"]) == ("(none)", api_id, "v1")
    gateway.create_base_path_mapping(**named(domain), restApiId=api_id, basePath="v2")
    items = gateway.get_base_path_mappings(**named(domain))["items"]
    assert items == [
        {"basePath": "(none)", "restApiId": api_id, "stage": "v1"},
        {"basePath": "v2", "restApiId": api_id},
    ]
    for path in (None, "v2"):
        with refused("ConflictException", "Base path already exists"):
            gateway.create_base_path_mapping(
                **named(domain), restApiId=api_id, **({"basePath": path} if path else {})
            )
    operations = [
        {"op": "replace", "path": "/basePath", "value": "v3"},
        {"op": "replace", "path": "/stage", "value": "v1"},
    ]
    changed = gateway.update_base_path_mapping(
        **named(domain), basePath="v2", patchOperations=operations
    )
    assert (changed["basePath"], changed["stage"]) == ("v3", "v1")
    with refused("NotFoundException", "Invalid base path mapping identifier"):
        gateway.get_base_path_mapping(**named(domain), basePath="v2")
    gateway.delete_base_path_mapping(**named(domain), basePath="(none)")
    assert len(gateway.get_base_path_mappings(**named(domain))["items"]) == 1


def test_what_cannot_be_mapped_is_refused(gateway, private, regional, create_api, refused):
    domain, api_id = private(), create_api()

    def map_api(**arguments):
        given = {**named(domain), "restApiId": api_id} | arguments
        gateway.create_base_path_mapping(**given)

    with refused("BadRequestException", "Invalid REST API identifier specified"):
        map_api(restApiId="nothing")
    with refused("BadRequestException", "Invalid stage identifier specified"):
        map_api(stage="v9")
    with refused("BadRequestException", "doesn't support the slash character"):
        map_api(basePath="a/b")
    with refused("NotFoundException", "Invalid domain name identifier"):
        map_api(domainNameId="abcde12345")
    with refused("BadRequestException", "Only private APIs can be mapped"):
        map_api(restApiId=create_api("REGIONAL"))


def test_a_mapped_api_stays(gateway, regional, create_api, refused):
    domain, api_id = regional(), create_api()
    gateway.create_base_path_mapping(**named(domain), restApiId=api_id)
    with refused("BadRequestException", "Please remove all base path mappings"):
        gateway.delete_rest_api(restApiId=api_id)
    gateway.delete_domain_name(**named(domain))
    gateway.delete_rest_api(restApiId=api_id)
