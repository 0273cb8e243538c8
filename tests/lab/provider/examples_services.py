"""Examples of the other services, and of tls."""

from . import places
from .conftest import World
from .examples import TAGS, Example, Examples
from .places import policy, trust

EXAMPLES = Examples()


@EXAMPLES.of("aws:acm/certificate:Certificate")
def _certificate(world: World) -> Example:
    return Example(
        inputs={
            "domainName": "new.example.com",
            "validationMethod": "DNS",
            "subjectAlternativeNames": ["www.example.com"],
            "keyAlgorithm": "EC_prime256v1",
            "tags": {"team": "a"},
        },
        changes=TAGS,
    )


@EXAMPLES.of("aws:acm/certificate:Certificate#imported")
def _imported_certificate(world: World) -> Example:
    first, second = (places.server_pair(world, name) for name in ("one", "two"))
    return Example(
        inputs={
            "certificateBody": first["certificate"],
            "certificateChain": first["chain"],
            "privateKey": first["key"],
        },
        changes=[
            {"certificateBody": second["certificate"], "privateKey": second["key"]},
            {"certificateChain": None},
        ],
    )


@EXAMPLES.of("aws:acm/certificateValidation:CertificateValidation")
def _validation(world: World) -> Example:
    certificate = world.make(
        "aws:acm/certificate:Certificate",
        domainName="validated.example.com",
        validationMethod="DNS",
    )
    option = certificate["domainValidationOptions"][0]
    record = world.make(
        "aws:route53/record:Record",
        zoneId=places.zone(world),
        name=option["resourceRecordName"],
        type=option["resourceRecordType"],
        records=[option["resourceRecordValue"]],
        ttl=300,
    )
    return Example(
        inputs={
            "certificateArn": certificate["id"],
            "validationRecordFqdns": [record["fqdn"]],
        },
        outlives_delete=True,
    )


@EXAMPLES.of("aws:route53/zone:Zone")
def _zone(world: World) -> Example:
    other = world.make("aws:ec2/vpc:Vpc", cidrBlock="10.8.0.0/16")["id"]
    own = {"vpcId": places.vpc(world)}
    return Example(
        inputs={"name": "internal.example.com", "vpcs": [own], "tags": {"team": "a"}},
        changes=[
            {"comment": "for inside"},
            {"vpcs": [own, {"vpcId": other}]},
            {"forceDestroy": True},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:route53/record:Record")
def _record(world: World) -> Example:
    balancer = places.load_balancer(world)
    alias = {"name": balancer["dnsName"], "zoneId": balancer["zoneId"]}
    return Example(
        inputs={
            "zoneId": places.zone(world),
            "name": "api",
            "type": "A",
            "records": ["10.0.0.1"],
            "ttl": 60,
        },
        changes=[
            {"ttl": 300},
            {"records": ["10.0.0.2", "10.0.0.3"]},
            {"allowOverwrite": True},
            {"records": None, "ttl": None, "aliases": [{**alias, "evaluateTargetHealth": True}]},
        ],
    )


@EXAMPLES.of("aws:cloudwatch/logGroup:LogGroup")
def _log_group(world: World) -> Example:
    return Example(
        inputs={"retentionInDays": 7, "tags": {"team": "a"}},
        changes=[
            {"retentionInDays": 30},
            {"retentionInDays": 0},
            *TAGS,
            {"skipDestroy": True},
        ],
        outlives_delete=True,
    )


@EXAMPLES.of("aws:iam/role:Role")
def _role(world: World) -> Example:
    return Example(
        inputs={
            "assumeRolePolicy": trust("lambda.amazonaws.com"),
            "description": "example",
            "tags": {"team": "a"},
        },
        changes=[
            {"assumeRolePolicy": trust("apigateway.amazonaws.com")},
            {"description": "other"},
            {"maxSessionDuration": 7200},
            {"forceDetachPolicies": True},
            {"permissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
            {"permissionsBoundary": None},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:iam/rolePolicy:RolePolicy")
def _role_policy(world: World) -> Example:
    return Example(
        inputs={
            "role": places.role(world, "lambda.amazonaws.com")["id"],
            "policy": policy("s3:GetObject"),
        },
        changes=[{"policy": policy("s3:PutObject")}],
    )


@EXAMPLES.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
def _role_attachment(world: World) -> Example:
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    return Example(
        inputs={
            "role": places.role(world, "lambda.amazonaws.com")["id"],
            "policyArn": managed,
        }
    )


@EXAMPLES.of("aws:lambda/function:Function")
def _function(world: World) -> Example:
    trusted = {"assumeRolePolicy": trust("lambda.amazonaws.com")}
    return Example(
        inputs={
            "code": places.CODE,
            "role": places.role(world, "lambda.amazonaws.com")["arn"],
            "runtime": "python3.13",
            "handler": "handler.handle",
            "architectures": ["arm64"],
            "environment": {"variables": {"A": "1"}},
            "tracingConfig": {"mode": "Active"},
            "tags": {"team": "a"},
        },
        changes=[
            {"code": places.OTHER_CODE},
            {"timeout": 10},
            {"memorySize": 256},
            {"handler": "handler.other"},
            {"description": "other"},
            {"environment": {"variables": {"A": "2"}}},
            {"environment": None},
            {"tracingConfig": {"mode": "PassThrough"}},
            {"reservedConcurrentExecutions": 5},
            {"reservedConcurrentExecutions": -1},
            {"role": world.make("aws:iam/role:Role", **trusted)["arn"]},
            {"runtime": "python3.14"},
            {"architectures": ["x86_64"]},
            {"publish": True},
            {"snapStart": {"applyOn": "PublishedVersions"}},
            {"timeout": 11},
            {"snapStart": None},
            {"publish": False},
            {"ephemeralStorage": {"size": 1024}},
            {"loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "WARN"}},
            {"sourceCodeHash": "1"},
            {"skipDestroy": True},
            {"skipDestroy": False},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:lambda/function:Function#in a bucket")
def _function_in_bucket(world: World) -> Example:
    (first, second), other = places.archives(world, 2), places.archives(world, 1)[0]
    return Example(
        inputs={
            "s3Bucket": first["bucket"],
            "s3Key": first["key"],
            "role": places.role(world, "lambda.amazonaws.com")["arn"],
            "runtime": "python3.13",
            "handler": "handler.handle",
        },
        changes=[
            {"s3Key": second["key"]},
            {"s3Bucket": other["bucket"], "s3Key": other["key"]},
            {"skipDestroy": True},
        ],
        outlives_delete=True,
    )


@EXAMPLES.of("aws:lambda/alias:Alias")
def _alias(world: World) -> Example:
    published = places.alias(world)
    return Example(
        inputs={
            "name": "next",
            "functionName": published["functionName"],
            "functionVersion": published["functionVersion"],
        },
        changes=[
            {"functionVersion": "$LATEST"},
            {"description": "what is next"},
            {"description": None},
        ],
    )


@EXAMPLES.of("aws:lambda/permission:Permission#of an alias")
def _permission_of_alias(world: World) -> Example:
    return Example(
        inputs={
            "function": places.alias(world)["arn"],
            "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com",
            "sourceArn": f"{places.rest_api(world)['executionArn']}/authorizers/*",
        }
    )


@EXAMPLES.of("aws:lambda/permission:Permission")
def _permission(world: World) -> Example:
    return Example(
        inputs={
            "function": places.function(world)["name"],
            "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com",
            "sourceArn": f"{places.rest_api(world)['executionArn']}/*/GET/",
            "sourceAccount": places.ACCOUNT,
        }
    )


@EXAMPLES.of("aws:wafv2/webAclAssociation:WebAclAssociation")
def _web_acl(world: World) -> Example:
    made = world.aws.client("wafv2").create_web_acl(
        Name="example",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig={
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "example",
        },
    )
    return Example(
        inputs={
            "webAclArn": made["Summary"]["ARN"],
            "resourceArn": places.load_balancer(world)["id"],
        }
    )


@EXAMPLES.of("tls:index/privateKey:PrivateKey")
def _private_key(world: World) -> Example:
    return Example(inputs={"algorithm": "ECDSA", "ecdsaCurve": "P384"}, outlives_delete=True)


_USES = {"allowedUses": ["client_auth"], "validityPeriodHours": 24}


@EXAMPLES.of("tls:index/selfSignedCert:SelfSignedCert")
def _self_signed(world: World) -> Example:
    return Example(
        inputs={
            "privateKeyPem": places.authority(world)["key"],
            "subject": {"commonName": "self"},
            **_USES,
        },
        changes=[{"earlyRenewalHours": 1}, {"earlyRenewalHours": 24}],
        outlives_delete=True,
    )


@EXAMPLES.of("tls:index/certRequest:CertRequest")
def _cert_request(world: World) -> Example:
    return Example(
        inputs={
            "privateKeyPem": places.authority(world)["key"],
            "subject": {"commonName": "me", "organization": "Example"},
            "dnsNames": ["me.example.com"],
        },
        outlives_delete=True,
    )


@EXAMPLES.of("tls:index/locallySignedCert:LocallySignedCert")
def _locally_signed(world: World) -> Example:
    parts = places.authority(world)
    return Example(
        inputs={
            "certRequestPem": parts["request"],
            "caCertPem": parts["ca"],
            "caPrivateKeyPem": parts["key"],
            **_USES,
        },
        changes=[{"earlyRenewalHours": 1}, {"earlyRenewalHours": 24}],
        outlives_delete=True,
    )
