from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import lb, s3

from components.ca_bundle import normalise
from components.private_bucket import PrivateBucket, PrivateBucketArgs


@dataclass(frozen=True, kw_only=True)
class TrustStoreArgs:
    """`authorities` maps a name of yours to the PEM certificates of one certificate authority.

    Every certificate that chains to any of them is let in: the load balancer has no list of names
    (ELB user guide, "Mutual authentication with TLS"). `force_destroy` lets a destroy delete the
    bundles kept in the bucket.
    """

    authorities: Mapping[str, pulumi.Input[str]]
    force_destroy: bool = False

    def __post_init__(self) -> None:
        if not self.authorities:
            raise ValueError(
                "authorities: want at least one, as in {'root-2026': '<PEM>'}; got none"
            )
        known = [pem for pem in self.authorities.values() if isinstance(pem, str)]
        if known:
            normalise(*known)


@dataclass(frozen=True, kw_only=True)
class ExistingTrustStoreArgs:
    """A trust store that is there already, of this account or shared with it."""

    arn: pulumi.Input[str]


class TrustStore(pulumi.ComponentResource):
    """The certificate authorities whose clients a load balancer lets in, as a bundle in S3.

    The load balancer copies the bundle when told to, and does not see the object change later. The
    trust store therefore names the object's version: a changed bundle is a visible update in place.
    """

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: TrustStoreArgs | ExistingTrustStoreArgs,
        opts: pulumi.ResourceOptions | None = None,
    ):
        super().__init__("mtls:index:TrustStore", name, None, opts)
        if isinstance(args, TrustStoreArgs):
            self.arn = self._create(name, args)
        else:
            self.arn = pulumi.Output.from_input(args.arn)
        self.register_outputs({"arn": self.arn})

    def _create(self, name: str, args: TrustStoreArgs) -> pulumi.Output[str]:
        mine = pulumi.ResourceOptions(parent=self)
        bundles = PrivateBucket(
            f"{name}-bundles", PrivateBucketArgs(force_destroy=args.force_destroy), mine
        )
        bundle = s3.BucketObjectv2(
            f"{name}-bundle",
            bucket=bundles.bucket,
            key="ca-bundle.pem",
            content=pulumi.Output.all(*args.authorities.values()).apply(
                lambda pems: normalise(*pems)
            ),
            content_type="application/x-pem-file",
            opts=mine,
        )
        store = lb.TrustStore(
            f"{name}-store",
            ca_certificates_bundle_s3_bucket=bundles.bucket,
            ca_certificates_bundle_s3_key=bundle.key,
            ca_certificates_bundle_s3_object_version=bundle.version_id,
            opts=mine,
        )
        return store.arn
