"""Trust stores: a copy of a CA bundle, the revocation lists added to it, and who uses it."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from moto.s3.models import s3_backends
from moto.utilities.tagging_service import TaggingService

from lab.cloud import changes
from lab.cloud.elbv2.bundles import check_bundle, check_revocation_list
from lab.cloud.elbv2.exceptions import ELBError, constraint, trust_store_not_found, validation

# "Quotas for your Application Load Balancers" in its user guide
MAX_TRUST_STORES = 20
MAX_REVOCATION_LISTS = 30
MAX_REVOCATION_ENTRIES = 500_000
NAME = re.compile(r"([a-zA-Z0-9]+-)*[a-zA-Z0-9]+")


@dataclass
class Revocation:
    """One revocation list in force; `location_id` ends the URL at which its content is served."""

    trust_store_arn: str
    revocation_id: int
    content: bytes
    number_of_revoked_entries: int
    location_id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    revocation_type: str = "CRL"


@dataclass
class TrustStore:
    """Serialised by its attributes' names. The bundle is the copy taken at create or modify."""

    name: str
    trust_store_arn: str
    bundle: bytes
    number_of_ca_certificates: int
    location_id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    status: str = "CREATING"
    revocations: dict[int, Revocation] = field(default_factory=dict)
    last_revocation_id: int = 0

    @property
    def total_revoked_entries(self) -> int:
        return sum(each.number_of_revoked_entries for each in self.revocations.values())

    def activate(self) -> None:
        """Creation takes a moment in AWS; here it is over when somebody looks."""
        if self.status == "CREATING":
            self.status = "ACTIVE"
            changes.changed("elbv2")


class TrustStoreBackend:
    """The trust store operations of ELBv2 in one account and region."""

    account_id: str
    region_name: str
    partition: str
    tagging_service: TaggingService
    trust_stores: dict[str, TrustStore]
    load_balancers: dict[str, Any]

    def create_trust_store(
        self, name: str, bucket: str, key: str, version: str | None, tags: list[dict[str, str]]
    ) -> TrustStore:
        """Raises DuplicateTrustStoreName, TooManyTrustStores, CaCertificatesBundleNotFound,
        InvalidCaCertificatesBundle or ValidationError (the name)."""
        if not 1 <= len(name) <= 32:
            raise constraint(name, "name", "have length less than or equal to 32")
        if not NAME.fullmatch(name):
            rule = f"satisfy regular expression pattern: ^{NAME.pattern}$"
            raise constraint(name, "name", rule)
        if any(each.name == name for each in self.trust_stores.values()):
            raise ELBError(
                "DuplicateTrustStoreName", f"A trust store with the name '{name}' already exists"
            )
        if len(self.trust_stores) >= MAX_TRUST_STORES:
            raise ELBError(
                "TooManyTrustStores",
                "You've reached the limit on the number of trust stores for your Amazon Web "
                "Services account.",
            )
        bundle = self._bundle(bucket, key, version)
        arn = (
            f"arn:{self.partition}:elasticloadbalancing:{self.region_name}:{self.account_id}:"
            f"truststore/{name}/{secrets.token_hex(8)}"
        )
        store = TrustStore(name, arn, bundle, check_bundle(bundle))
        self.trust_stores[arn] = store
        self.tagging_service.tag_resource(arn, tags)
        return store

    def modify_trust_store(
        self, arn: str, bucket: str, key: str, version: str | None
    ) -> TrustStore:
        """Copies the bundle again; a refused bundle leaves the one in force."""
        store = self.trust_store(arn)
        bundle = self._bundle(bucket, key, version)
        store.number_of_ca_certificates = check_bundle(bundle)
        store.bundle = bundle
        return store

    def delete_trust_store(self, arn: str) -> None:
        """Raises TrustStoreInUse while a listener uses it."""
        self.trust_store(arn)
        if self.trust_store_associations(arn):
            raise ELBError(
                "TrustStoreInUse", f"Trust store '{arn}' is currently in use by a listener"
            )
        del self.trust_stores[arn]
        self.tagging_service.delete_all_tags_for_resource(arn)

    def describe_trust_stores(self, arns: list[str], names: list[str]) -> list[TrustStore]:
        if arns and names:
            raise validation(
                "Trust store names and trust store ARNs cannot be specified at the same time"
            )
        stores = [self.trust_store(arn) for arn in arns] or list(self.trust_stores.values())
        if names:
            stores = [each for each in stores if each.name in names]
            if len(stores) != len(set(names)):
                raise ELBError("TrustStoreNotFound", "One or more trust stores not found")
        for store in stores:
            store.activate()
        return stores

    def trust_store(self, arn: str) -> TrustStore:
        if arn not in self.trust_stores:
            raise trust_store_not_found(arn)
        return self.trust_stores[arn]

    def trust_store_associations(self, arn: str) -> list[str]:
        """The ARNs of the listeners that verify against this trust store."""
        self.trust_store(arn)
        return [
            listener.arn
            for balancer in self.load_balancers.values()
            for listener in balancer.listeners.values()
            if (listener.mutual_authentication or {}).get("TrustStoreArn") == arn
        ]

    def add_trust_store_revocations(
        self, arn: str, contents: list[dict[str, str]]
    ) -> list[Revocation]:
        """Adds all lists or none. Raises RevocationContentNotFound, InvalidRevocationContent or
        TooManyTrustStoreRevocationEntries."""
        store = self.trust_store(arn)
        added: list[Revocation] = []
        for number, content in enumerate(contents, store.last_revocation_id + 1):
            if content.get("RevocationType", "CRL") != "CRL":
                raise constraint(
                    content["RevocationType"], "revocationType", "satisfy enum value set: [CRL]"
                )
            data = self._object(
                content.get("S3Bucket", ""),
                content.get("S3Key", ""),
                content.get("S3ObjectVersion"),
            )
            if data is None:
                raise ELBError(
                    "RevocationContentNotFound", "The specified revocation file does not exist."
                )
            added.append(Revocation(arn, number, data, check_revocation_list(data)))
        entries = sum(each.number_of_revoked_entries for each in added)
        if (
            store.total_revoked_entries + entries > MAX_REVOCATION_ENTRIES
            or len(store.revocations) + len(added) > MAX_REVOCATION_LISTS
        ):
            raise ELBError(
                "TooManyTrustStoreRevocationEntries",
                "The specified trust store has too many revocation entries.",
            )
        store.revocations.update({each.revocation_id: each for each in added})
        store.last_revocation_id += len(added)
        return added

    def describe_trust_store_revocations(self, arn: str, ids: list[int]) -> list[Revocation]:
        store = self.trust_store(arn)
        return [self.revocation(arn, each) for each in ids] or list(store.revocations.values())

    def remove_trust_store_revocations(self, arn: str, ids: list[int]) -> None:
        for revocation in [self.revocation(arn, each) for each in ids]:
            del self.trust_store(arn).revocations[revocation.revocation_id]

    def revocation(self, arn: str, revocation_id: int) -> Revocation:
        revocations = self.trust_store(arn).revocations
        if revocation_id not in revocations:
            raise ELBError(
                "RevocationIdNotFound", f"The revocation ID '{revocation_id}' was not found"
            )
        return revocations[revocation_id]

    def _bundle(self, bucket: str, key: str, version: str | None) -> bytes:
        content = self._object(bucket, key, version)
        if content is None:
            raise ELBError(
                "CaCertificatesBundleNotFound",
                "The specified ca certificate bundle does not exist.",
            )
        return content

    def _object(self, bucket: str, key: str, version: str | None) -> bytes | None:
        """An object in one of the account's own buckets in this region; None when there is none."""
        backend = s3_backends[self.account_id][self.partition]
        found = backend.buckets.get(bucket)
        if found is None or found.region_name != self.region_name:
            return None
        s3_object = backend.get_object(bucket, key, version)
        return None if s3_object is None else s3_object.value
