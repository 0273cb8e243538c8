"""Component resources: private APIs behind mutual TLS."""

from components.alb import Alb, AlbArgs, ExistingAlbArgs
from components.ca_bundle import CaBundleError
from components.certificate_authority import CertificateAuthority, CertificateAuthorityArgs
from components.client_identity import ClientIdentity, ClientIdentityArgs
from components.function import Function, FunctionArgs
from components.mtls_alb_front import Client, MtlsAlbFront, MtlsAlbFrontArgs, PathRoute
from components.network import ExistingNetworkArgs, Network, NetworkArgs
from components.private_api import PrivateApi, PrivateApiArgs
from components.trust_store import ExistingTrustStoreArgs, TrustStore, TrustStoreArgs

__all__ = [
    "Alb",
    "AlbArgs",
    "CaBundleError",
    "CertificateAuthority",
    "CertificateAuthorityArgs",
    "Client",
    "ClientIdentity",
    "ClientIdentityArgs",
    "ExistingAlbArgs",
    "ExistingNetworkArgs",
    "ExistingTrustStoreArgs",
    "Function",
    "FunctionArgs",
    "MtlsAlbFront",
    "MtlsAlbFrontArgs",
    "Network",
    "NetworkArgs",
    "PathRoute",
    "PrivateApi",
    "PrivateApiArgs",
    "TrustStore",
    "TrustStoreArgs",
]
