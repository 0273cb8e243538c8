import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

FIXED_404 = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def fetch(url):
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        return answer.read()


def revocation_list(entries=1, algorithm=None):
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]),
        last_update=now,
        next_update=now + timedelta(days=1),
        revoked_certificates=[
            x509.RevokedCertificateBuilder(serial_number=n + 1, revocation_date=now).build()
            for n in range(entries)
        ],
    )
    return builder.sign(key, algorithm or hashes.SHA256()).public_bytes(Encoding.PEM)


def content(key):
    return {"S3Bucket": "bundles", "S3Key": key}


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def store(create_store, make_ca):
    return create_store("shared", make_ca("shared"))


def test_a_new_trust_store_is_creating_and_active_once_looked_at(elbv2, put, make_ca):
    put("new.pem", make_ca("one") + make_ca("two"))
    created = elbv2.create_trust_store(
        Name="new", CaCertificatesBundleS3Bucket="bundles", CaCertificatesBundleS3Key="new.pem"
    )["TrustStores"][0]
    assert created["Status"] == "CREATING"
    described = elbv2.describe_trust_stores(Names=["new"])["TrustStores"]
    assert described == [{**created, "Status": "ACTIVE"}]
    assert described[0]["NumberOfCaCertificates"] == 2
    assert described[0]["TotalRevokedEntries"] == 0


def test_tags_of_a_trust_store_come_back(elbv2, create_store, make_ca):
    tags = [{"Key": "stack", "Value": "dev"}]
    arn = create_store("tagged", make_ca("tagged"), Tags=tags)
    elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "more", "Value": "1"}])
    elbv2.remove_tags(ResourceArns=[arn], TagKeys=["stack"])
    described = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert described == [{"ResourceArn": arn, "Tags": [{"Key": "more", "Value": "1"}]}]


def test_the_bundle_is_the_copy_taken_at_create_until_a_modify_takes_another(
    elbv2, put, create_store, make_ca
):
    first, second = make_ca("first"), make_ca("second") + make_ca("third")
    arn = create_store("copied", first)
    version = put("copied.pem", second)
    location = elbv2.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn)["Location"]
    assert fetch(location) == first
    modified = elbv2.modify_trust_store(
        TrustStoreArn=arn,
        CaCertificatesBundleS3Bucket="bundles",
        CaCertificatesBundleS3Key="copied.pem",
        CaCertificatesBundleS3ObjectVersion=version,
    )["TrustStores"][0]
    assert modified["NumberOfCaCertificates"] == 2
    assert fetch(location) == second


def test_a_refused_modify_leaves_the_bundle_in_force(elbv2, put, create_store, make_ca, refused):
    bundle = make_ca("kept")
    arn = create_store("kept", bundle)
    put("kept.pem", b"no certificate")
    with refused("InvalidCaCertificatesBundle"):
        elbv2.modify_trust_store(
            TrustStoreArn=arn,
            CaCertificatesBundleS3Bucket="bundles",
            CaCertificatesBundleS3Key="kept.pem",
        )
    location = elbv2.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn)["Location"]
    assert fetch(location) == bundle


@pytest.mark.parametrize("name", ["a--b", "-a", "a-", "a_b"])
def test_a_name_outside_the_pattern_is_refused(create_store, make_ca, refused, name):
    with refused("ValidationError", f"Value '{name}' at 'name' failed .* regular expression"):
        create_store(name, make_ca("x"))


def test_a_name_of_33_characters_is_refused(create_store, make_ca, refused):
    with refused("ValidationError", "length less than or equal to 32"):
        create_store("a" * 33, make_ca("x"))


def test_a_second_trust_store_of_a_name_is_refused(store, create_store, make_ca, refused):
    with refused("DuplicateTrustStoreName", "'shared' already exists"):
        create_store("shared", make_ca("x"))


@pytest.mark.parametrize(
    "place",
    [
        {"CaCertificatesBundleS3Bucket": "no-such-bucket"},
        {"CaCertificatesBundleS3Key": "no-such-key"},
        {"CaCertificatesBundleS3ObjectVersion": "no-such-version"},
    ],
)
def test_a_bundle_that_is_not_in_s3_is_refused(elbv2, store, refused, place):
    there = {
        "CaCertificatesBundleS3Bucket": "bundles",
        "CaCertificatesBundleS3Key": "shared.pem",
    }
    with refused("CaCertificatesBundleNotFound"):
        elbv2.create_trust_store(Name="nowhere", **(there | place))


def broken_bundles():
    """What is wrong with a bundle -> how to make one from `make_ca`, and what AWS is told."""
    return {
        "empty": (lambda ca: b"", "line 1 is blank"),
        "text before": (lambda ca: b"Certificate:\n" + ca("a"), "line 1 is neither"),
        "blank line": (lambda ca: ca("a") + b"\n" + ca("b"), "is blank"),
        "hyphen in a comment": (lambda ca: b"# my-ca\n" + ca("a"), "comment with a hyphen"),
        "no end": (lambda ca: ca("a").replace(b"-----END", b"----END"), "has no end"),
        "not base64": (
            lambda ca: b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n",
            "cannot be read",
        ),
        "binary": (lambda ca: b"\xff\xfe", "not PEM text"),
        "comments only": (lambda ca: b"# nothing\n", "has no certificate"),
        "not a CA": (lambda ca: ca("a", ca=False), "not a CA certificate"),
        "no constraints": (lambda ca: ca("a", ca=None), "not a CA certificate"),
        "RSA 1024": (
            lambda ca: ca("a", rsa.generate_private_key(65537, 1024)),  # noqa: S505
            "RSA key of 1024 bits",
        ),
        "P-224": (
            lambda ca: ca("a", ec.generate_private_key(ec.SECP224R1())),
            "neither RSA nor",
        ),
        "secp256k1": (lambda ca: ca("a", ec.generate_private_key(ec.SECP256K1())), "neither RSA"),
        "SHA-224": (lambda ca: ca("a", algorithm=hashes.SHA224()), "not signed with SHA-256"),
        "26 certificates": (lambda ca: b"".join(ca(str(n)) for n in range(26)), "26 certificates"),
        "subjects too long": (
            lambda ca: b"".join(ca(str(n) * 60 + "x") for n in range(10)) * 13,
            "at most 25",
        ),
    }


@pytest.mark.parametrize("fault", broken_bundles())
def test_a_bundle_that_an_alb_does_not_accept_is_refused(create_store, make_ca, refused, fault):
    make, words = broken_bundles()[fault]
    with refused("InvalidCaCertificatesBundle", words):
        create_store("broken", make(make_ca))


def test_subjects_of_more_than_10000_bytes_in_all_are_refused(create_store, refused):
    with refused("InvalidCaCertificatesBundle", "subjects have .* at most 10000"):
        create_store("long", b"".join(long_subject(n, 20) for n in range(1, 11)))


def test_a_certificate_of_more_than_16_kb_is_refused(create_store, refused):
    with refused("InvalidCaCertificatesBundle", "larger than 16384 bytes"):
        create_store("large", long_subject(1, 200))


def long_subject(serial, parts):
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{n:03}" + "x" * 60)
        for n in range(parts)
    ]
    now = datetime.now(UTC)
    name = x509.Name(names)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, now, now + timedelta(1))
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    certificate = builder.add_extension(constraints, critical=True).sign(key, hashes.SHA256())
    return certificate.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("key", "algorithm", "sign"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), hashes.SHA384(), {}),
        (lambda: ec.generate_private_key(ec.SECP521R1()), hashes.SHA512(), {}),
        (
            lambda: rsa.generate_private_key(65537, 2048),
            hashes.SHA256(),
            {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA256()), 32)},
        ),
    ],
    ids=["P-384", "P-521", "RSASSA-PSS"],
)
def test_the_key_and_signature_kinds_of_albs_are_accepted(
    create_store, make_ca, key, algorithm, sign, request
):
    name = request.node.callspec.id
    assert create_store(name, b"# a comment\n" + make_ca("x", key(), algorithm, **sign))


def test_a_trust_store_in_use_is_not_deleted_and_names_its_listener(
    elbv2, store, create_balancer, issue, refused
):
    elbv2.describe_trust_stores(TrustStoreArns=[store])
    listener = elbv2.create_listener(
        LoadBalancerArn=create_balancer("using"),
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": issue("using.example.com")}],
        DefaultActions=[FIXED_404],
        MutualAuthentication={"Mode": "verify", "TrustStoreArn": store},
    )["Listeners"][0]["ListenerArn"]
    associations = elbv2.describe_trust_store_associations(TrustStoreArn=store)
    assert associations["TrustStoreAssociations"] == [{"ResourceArn": listener}]
    with refused("TrustStoreInUse"):
        elbv2.delete_trust_store(TrustStoreArn=store)
    elbv2.delete_listener(ListenerArn=listener)
    assert not elbv2.describe_trust_store_associations(TrustStoreArn=store)[
        "TrustStoreAssociations"
    ]


def test_a_deleted_trust_store_is_gone_for_every_operation(elbv2, create_store, make_ca, refused):
    arn = create_store("gone", make_ca("gone"))
    elbv2.delete_trust_store(TrustStoreArn=arn)
    for call in (
        lambda: elbv2.describe_trust_stores(TrustStoreArns=[arn]),
        lambda: elbv2.delete_trust_store(TrustStoreArn=arn),
        lambda: elbv2.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn),
        lambda: elbv2.describe_trust_store_associations(TrustStoreArn=arn),
        lambda: elbv2.describe_trust_store_revocations(TrustStoreArn=arn),
    ):
        with refused("TrustStoreNotFound", f"Trust store '{arn}' not found"):
            call()
    with refused("TrustStoreNotFound"):
        elbv2.describe_trust_stores(Names=["gone"])


def test_trust_stores_come_in_pages(elbv2, store, create_store, make_ca):
    create_store("another", make_ca("another"))
    every = elbv2.describe_trust_stores()["TrustStores"]
    pages = elbv2.get_paginator("describe_trust_stores").paginate(PaginationConfig={"PageSize": 1})
    assert [page["TrustStores"] for page in pages] == [[each] for each in every]


def test_trust_stores_beyond_the_quota_are_refused(client, make_ca, refused):
    s3, elbv2 = client("s3", "customer"), client("elbv2", "customer")
    s3.create_bucket(Bucket="many", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="many", Key="ca.pem", Body=make_ca("x"))
    place = {"CaCertificatesBundleS3Bucket": "many", "CaCertificatesBundleS3Key": "ca.pem"}
    for number in range(20):
        elbv2.create_trust_store(Name=f"n{number}", **place)
    with refused("TooManyTrustStores"):
        elbv2.create_trust_store(Name="n20", **place)


def test_revocation_ids_increase_and_are_never_used_again(elbv2, store, put):
    put("one.crl", revocation_list(1))
    put("two.crl", revocation_list(2))

    def add(*keys):
        answer = elbv2.add_trust_store_revocations(
            TrustStoreArn=store, RevocationContents=[content(key) for key in keys]
        )
        return [
            (each["RevocationId"], each["NumberOfRevokedEntries"], each["RevocationType"])
            for each in answer["TrustStoreRevocations"]
        ]

    assert add("one.crl", "two.crl") == [(1, 1, "CRL"), (2, 2, "CRL")]
    elbv2.remove_trust_store_revocations(TrustStoreArn=store, RevocationIds=[2])
    assert add("two.crl") == [(3, 2, "CRL")]
    described = elbv2.describe_trust_store_revocations(TrustStoreArn=store)
    assert [each["RevocationId"] for each in described["TrustStoreRevocations"]] == [1, 3]
    stores = elbv2.describe_trust_stores(TrustStoreArns=[store])["TrustStores"]
    assert stores[0]["TotalRevokedEntries"] == 3


def test_the_content_of_a_revocation_list_is_served(elbv2, store, put):
    data = revocation_list(4)
    put("served.crl", data)
    added = elbv2.add_trust_store_revocations(
        TrustStoreArn=store, RevocationContents=[content("served.crl")]
    )
    number = added["TrustStoreRevocations"][0]["RevocationId"]
    answer = elbv2.get_trust_store_revocation_content(TrustStoreArn=store, RevocationId=number)
    assert fetch(answer["Location"]) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (revocation_list() + revocation_list(), "More than one CRL objects"),
        (b"nothing", "not a certificate revocation list in PEM"),
        (revocation_list(algorithm=hashes.SHA224()), "not signed with"),
    ],
    ids=["two lists", "no list", "SHA-224"],
)
def test_a_revocation_file_that_is_not_one_good_list_is_refused(
    elbv2, store, put, refused, data, words
):
    put("bad.crl", data)
    with refused("InvalidRevocationContent", words):
        elbv2.add_trust_store_revocations(
            TrustStoreArn=store, RevocationContents=[content("bad.crl")]
        )


def test_a_revocation_file_of_more_than_50_mb_is_refused(elbv2, store, put, refused):
    put("huge.crl", revocation_list() + b"#" * (50 * 1024 * 1024))
    with refused("InvalidRevocationContent", "at most 52428800"):
        elbv2.add_trust_store_revocations(
            TrustStoreArn=store, RevocationContents=[content("huge.crl")]
        )


def test_only_crls_are_a_revocation_type(elbv2, store, put, refused):
    put("type.crl", revocation_list())
    with refused("ValidationError", r"enum value set: \[CRL\]"):
        elbv2.add_trust_store_revocations(
            TrustStoreArn=store,
            RevocationContents=[{**content("type.crl"), "RevocationType": "OCSP"}],
        )


def test_names_and_arns_exclude_each_other(elbv2, store, refused):
    with refused("ValidationError", "cannot be specified at the same time"):
        elbv2.describe_trust_stores(TrustStoreArns=[store], Names=["shared"])


def test_one_bad_list_adds_none_of_its_call(elbv2, create_store, make_ca, put, refused):
    arn = create_store("all-or-none", make_ca("x"))
    put("good.crl", revocation_list())
    with refused("RevocationContentNotFound"):
        elbv2.add_trust_store_revocations(
            TrustStoreArn=arn, RevocationContents=[content("good.crl"), content("absent.crl")]
        )
    answer = elbv2.describe_trust_store_revocations(TrustStoreArn=arn)
    assert answer["TrustStoreRevocations"] == []


def test_more_than_30_lists_are_refused(elbv2, create_store, make_ca, put, refused):
    arn = create_store("many-lists", make_ca("x"))
    put("one-more.crl", revocation_list())
    lists = [content("one-more.crl")] * 30
    elbv2.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=lists)
    with refused("TooManyTrustStoreRevocationEntries"):
        elbv2.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=lists[:1])


def test_an_unknown_revocation_id_is_refused(elbv2, store, refused):
    for call in (
        lambda: elbv2.remove_trust_store_revocations(TrustStoreArn=store, RevocationIds=[99]),
        lambda: elbv2.describe_trust_store_revocations(TrustStoreArn=store, RevocationIds=[99]),
        lambda: elbv2.get_trust_store_revocation_content(TrustStoreArn=store, RevocationId=99),
    ):
        with refused("RevocationIdNotFound", "99"):
            call()


def test_a_location_nobody_was_given_is_not_served(cloud):
    for kind in ("bundles", "revocations"):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            fetch(f"{cloud.endpoint_url}/_lab/elbv2/{kind}/guess")
        refusal.value.close()
        assert refusal.value.code == 404


def test_a_key_that_x509_knows_and_albs_do_not_is_refused(create_store, refused):
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ed")])
    now = datetime.now(UTC)
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1))
    pem = builder.add_extension(constraints, critical=True).sign(key, None)
    with refused("InvalidCaCertificatesBundle", "neither RSA nor"):
        create_store("ed", pem.public_bytes(Encoding.PEM))
