def test_a_web_acl_of_a_load_balancer_is_found_by_it(client, create_balancer):
    wafv2, arn = client("wafv2"), create_balancer("guarded")
    visibility = {
        "SampledRequestsEnabled": False,
        "CloudWatchMetricsEnabled": False,
        "MetricName": "m",
    }
    acl = wafv2.create_web_acl(
        Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility
    )["Summary"]
    wafv2.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    assert wafv2.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["Id"] == acl["Id"]
    wafv2.disassociate_web_acl(ResourceArn=arn)
    assert not wafv2.get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
