"""What the tests of custom domain names share."""

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
         "Resource": ["execute-api:/*"]}
    ],
}  # fmt: skip


def named(domain):
    """What finds a domain name."""
    found = {"domainName": domain["domainName"]}
    return found | ({"domainNameId": domain["domainNameId"]} if "domainNameId" in domain else {})


def patch(gateway, domain, **values):
    operations = [{"op": "replace", "path": f"/{key}", "value": value}
                  for key, value in values.items()]  # fmt: skip
    return gateway.update_domain_name(**named(domain), patchOperations=operations)
