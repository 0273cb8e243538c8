"""Component resources: private APIs behind mutual TLS, and the way there from other accounts."""

from components.alb import Alb, AlbArgs, ExistingAlbArgs
from components.api_domain import ApiDomain, ApiDomainArgs, ApiDomainTarget
from components.ca_bundle import CaBundleError
from components.certificate_authority import CertificateAuthority, CertificateAuthorityArgs
from components.client_identity import ClientIdentity, ClientIdentityArgs
from components.connection_notifications import ConnectionNotifications, ConnectionNotificationsArgs
from components.consumer_endpoint import ConsumerEndpoint, ConsumerEndpointArgs
from components.customers import Customer
from components.function import Function, FunctionArgs
from components.jwt_authorizer import (
    ExistingAuthorizerArgs,
    JwtAuthorizer,
    JwtAuthorizerArgs,
    PassthroughArgs,
)
from components.listener_rules import ApiTarget, PathRoute
from components.mtls_alb_front import MtlsAlbFront, MtlsAlbFrontArgs
from components.network import ExistingNetworkArgs, Network, NetworkArgs
from components.nlb import Nlb, NlbArgs
from components.private_api import PrivateApi, PrivateApiArgs
from components.private_dns_name import PrivateDnsName, PrivateDnsNameArgs
from components.private_link_service import PrivateLinkService, PrivateLinkServiceArgs
from components.security_groups import Client
from components.tenants import CertificateRules, Tenant
from components.trust_store import ExistingTrustStoreArgs, TrustStore, TrustStoreArgs

__all__ = [
    "Alb",
    "AlbArgs",
    "ApiDomain",
    "ApiDomainArgs",
    "ApiDomainTarget",
    "ApiTarget",
    "CaBundleError",
    "CertificateAuthority",
    "CertificateAuthorityArgs",
    "CertificateRules",
    "Client",
    "ClientIdentity",
    "ClientIdentityArgs",
    "ConnectionNotifications",
    "ConnectionNotificationsArgs",
    "ConsumerEndpoint",
    "ConsumerEndpointArgs",
    "Customer",
    "ExistingAlbArgs",
    "ExistingAuthorizerArgs",
    "ExistingNetworkArgs",
    "ExistingTrustStoreArgs",
    "Function",
    "FunctionArgs",
    "JwtAuthorizer",
    "JwtAuthorizerArgs",
    "MtlsAlbFront",
    "MtlsAlbFrontArgs",
    "Network",
    "NetworkArgs",
    "Nlb",
    "NlbArgs",
    "PassthroughArgs",
    "PathRoute",
    "PrivateApi",
    "PrivateApiArgs",
    "PrivateDnsName",
    "PrivateDnsNameArgs",
    "PrivateLinkService",
    "PrivateLinkServiceArgs",
    "Tenant",
    "TrustStore",
    "TrustStoreArgs",
]
