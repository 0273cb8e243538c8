from dataclasses import dataclass

import pulumi
import pulumi_tls as tls

YEAR_HOURS = 365 * 24


@dataclass(frozen=True, kw_only=True)
class ClientIdentityArgs:
    """`ca_certificates` and `ca_private_key` are PEM, of the authority that signs.

    The certificate is renewed by the first update within `renew_before_hours` of its end.
    """

    common_name: str
    ca_certificates: pulumi.Input[str]
    ca_private_key: pulumi.Input[str] | None
    validity_hours: int = YEAR_HOURS
    renew_before_hours: int = 30 * 24

    def __post_init__(self) -> None:
        if self.ca_private_key is None:
            raise ValueError("ca_private_key: want the key of a self-signed authority; got none")
        # RFC 5280 appendix A.1: ub-common-name is 64.
        if not 1 <= len(self.common_name) <= 64:
            raise ValueError(
                f"common_name: want 1 to 64 characters, as in 'shop'; got {self.common_name!r}"
            )
        if not 0 <= self.renew_before_hours < self.validity_hours:
            raise ValueError(
                f"renew_before_hours: want less than validity_hours ({self.validity_hours}); "
                f"got {self.renew_before_hours}"
            )


class ClientIdentity(pulumi.ComponentResource):
    """A key and a client certificate for tests, good for client authentication and nothing else.

    The key lives in the Pulumi state, as a secret. A customer's own key never should: customers
    send a certificate signing request instead.
    """

    certificate_chain: pulumi.Output[str]
    """PEM: the client's certificate, then the authority's."""
    private_key: pulumi.Output[str]
    """PEM (PKCS #8), secret."""

    def __init__(
        self, name: str, args: ClientIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:ClientIdentity", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=mine)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            subject={"common_name": args.common_name},
            opts=mine,
        )
        certificate = tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_cert_pem=args.ca_certificates,
            ca_private_key_pem=args.ca_private_key,
            allowed_uses=["digital_signature", "client_auth"],
            set_subject_key_id=True,
            validity_period_hours=args.validity_hours,
            early_renewal_hours=args.renew_before_hours,
            opts=mine,
        )
        self.certificate_chain = pulumi.Output.concat(certificate.cert_pem, args.ca_certificates)
        self.private_key = pulumi.Output.secret(key.private_key_pem_pkcs8)
        self.register_outputs(
            {"certificate_chain": self.certificate_chain, "private_key": self.private_key}
        )
