from dataclasses import dataclass
from typing import Literal, get_args

import pulumi
import pulumi_tls as tls

from components.ca_bundle import normalise

Kind = Literal["self-signed", "bring-your-own"]

MONTHLY_PRICE_USD: dict[Kind, float] = {"self-signed": 0.0, "bring-your-own": 0.0}

YEAR_HOURS = 365 * 24


@dataclass(frozen=True, kw_only=True)
class CertificateAuthorityArgs:
    """Where the clients' certificates come from.

    `self-signed` makes a root with a key in the Pulumi state: for development and the lab only.
    `bring-your-own` takes the PEM `bundle` of an authority that lives elsewhere, whose key is never
    seen here.
    """

    kind: Kind
    common_name: str = ""
    """Of the self-signed root; the component's name by default."""
    bundle: str = ""
    validity_hours: int = 10 * YEAR_HOURS
    """Of the self-signed root; ten years by default."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind: want one of {', '.join(get_args(Kind))}; got {self.kind!r}")
        if self.kind == "bring-your-own":
            normalise(self.bundle)
        elif self.bundle:
            raise ValueError("bundle: want none for a self-signed authority; got one")


class CertificateAuthority(pulumi.ComponentResource):
    """A certificate authority that clients' certificates chain to.

    Creates no trust in itself: hand `certificates` to a `TrustStore`.
    """

    certificates: pulumi.Output[str]
    """PEM, one or more."""
    private_key: pulumi.Output[str] | None
    """PEM, secret; None where the key lives elsewhere."""
    monthly_price_usd: float

    def __init__(
        self, name: str, args: CertificateAuthorityArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:CertificateAuthority", name, None, opts)
        if args.kind == "self-signed":
            key, root = self._self_signed(name, args)
            self.private_key = pulumi.Output.secret(key.private_key_pem)
            self.certificates = root.cert_pem
        else:
            self.private_key = None
            self.certificates = pulumi.Output.from_input(normalise(args.bundle))
        self.monthly_price_usd = MONTHLY_PRICE_USD[args.kind]
        self.register_outputs(
            {
                "certificates": self.certificates,
                "private_key": self.private_key,
                "monthly_price_usd": self.monthly_price_usd,
            }
        )

    def _self_signed(
        self, name: str, args: CertificateAuthorityArgs
    ) -> tuple[tls.PrivateKey, tls.SelfSignedCert]:
        mine = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P384", opts=mine)
        root = tls.SelfSignedCert(
            f"{name}-root",
            private_key_pem=key.private_key_pem,
            subject={"common_name": args.common_name or name},
            is_ca_certificate=True,
            set_subject_key_id=True,
            allowed_uses=["cert_signing", "crl_signing"],
            validity_period_hours=args.validity_hours,
            opts=mine,
        )
        return key, root
