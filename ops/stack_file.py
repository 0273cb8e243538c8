"""A stack's configuration file, `Pulumi.<stack>.yaml`, as these commands read and change it."""

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from ops import yaml_edit
from ops.errors import RefusedError

CUSTOMERS = "mtls:customers"
PRINCIPAL = re.compile(
    r"arn:aws[a-z-]*:iam::(\d{12}):(?:root|(?:role|user)/[\w+=,.@/-]+)|(\d{12})", re.ASCII
)
"""IAM identifiers: an account id, or the ARN of an account's root, a role or a user."""


LISTS = (
    *("principals", "endpoints"),
    *("certificates.subjects", "tokens.clientIds", "tokens.subjects"),
)
"""What of a customer's entry is a list of text."""


@dataclass(frozen=True, kw_only=True)
class Customer:
    """An entry of `mtls:customers`; `endpoints` are the ids of those that the stack accepts.

    `certificate_subjects`, `client_ids` and `token_subjects` are what it is known by to the API;
    other rules for certificates stay in the file.
    """

    principals: tuple[str, ...]
    endpoints: tuple[str, ...] = ()
    contact: str = ""
    certificate_subjects: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    token_subjects: tuple[str, ...] = ()

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that its principals are in, each once."""
        return tuple(dict.fromkeys(account_of(principal) for principal in self.principals))

    def entry(self) -> dict[str, Any]:
        """What the stack file says of it."""
        tokens = {"clientIds": list(self.client_ids), "subjects": list(self.token_subjects)}
        subjects = list(self.certificate_subjects)
        said = {
            "principals": list(self.principals),
            "contact": self.contact,
            "certificates": {"subjects": subjects} if subjects else {},
            "tokens": {key: values for key, values in tokens.items() if values},
        }
        return {key: value for key, value in said.items() if value}


@dataclass(frozen=True)
class StackFile:
    """One file as it was read. Its methods answer the text of a changed one; nothing is written."""

    path: Path
    text: str

    @classmethod
    def read(cls, stack: str, folder: Path) -> "StackFile | None":
        """The file of a stack, None if there is none. Raises RefusedError if it is no such file."""
        path = folder / f"Pulumi.{stack}.yaml"
        try:
            # Not read_text, which would turn CR LF into LF.
            file = cls(path, path.read_bytes().decode())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise RefusedError(f"{path.name}: cannot be read: {error}") from error
        if not isinstance(file._data.get("config"), dict):
            raise RefusedError(f"{path.name}: want settings under 'config:'; got none")
        return file

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.path.name

    @property
    def stack(self) -> str:
        """`prod` of `Pulumi.prod.yaml`."""
        return self.name.removeprefix("Pulumi.").removesuffix(".yaml")

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings by their full key, every scalar as it is written."""
        return cast("dict[str, Any]", self._data["config"])

    def setting(self, key: str) -> str:
        """A setting that is text, "" if absent."""
        value: object = self.config.get(key, "")
        if not isinstance(value, str):
            raise RefusedError(f"{self.name}: {key}: want text; got {value!r}")
        return value

    @cached_property
    def customers(self) -> Mapping[str, Customer]:
        """`mtls:customers`. Raises RefusedError naming the key that cannot be used."""
        entries: object = self.config.get(CUSTOMERS, "")
        if entries in yaml_edit.NULLS:
            return {}
        if not isinstance(entries, dict):
            raise RefusedError(f"{self.name}: {CUSTOMERS}: want a map by customer; got {entries!r}")
        known = cast("dict[str, Any]", entries)
        return {name: self._customer(name, entry) for name, entry in known.items()}

    def with_customer(self, name: str, customer: Customer) -> str:
        """The text with one more customer."""
        return self._edited(yaml_edit.add, name, customer.entry(), keys=())

    def with_endpoints(self, name: str, endpoint_ids: tuple[str, ...]) -> str:
        """The text with more endpoints of a customer that it has."""
        file = self
        for endpoint_id in endpoint_ids:
            text = file._edited(yaml_edit.append, name, endpoint_id, keys=("endpoints",))
            file = StackFile(self.path, text)
        return file.text

    def without_endpoints(self, name: str, endpoint_ids: tuple[str, ...]) -> str:
        """The text without some of a customer's endpoints."""
        file = self
        for endpoint_id in endpoint_ids:
            text = file._edited(yaml_edit.remove, name, endpoint_id, keys=("endpoints",))
            file = StackFile(self.path, text)
        return file.text

    @cached_property
    def _data(self) -> dict[str, Any]:
        try:
            return yaml_edit.load(self.text)
        except yaml_edit.EditError as error:
            raise RefusedError(f"{self.name}: {error}") from error

    def _customer(self, name: str, entry: Any) -> Customer:
        field = f"{self.name}: {CUSTOMERS}.{name}"
        if not isinstance(entry, dict):
            raise RefusedError(f'{field}: want {{principals: ["444455556666"]}}; got {entry!r}')
        known = cast("dict[str, Any]", entry)
        lists = {key: _texts(field, known, key) for key in LISTS}
        for principal in lists["principals"]:
            if not PRINCIPAL.fullmatch(principal):
                raise RefusedError(
                    f"{field}.principals: want account ids of 12 digits, or ARNs of IAM roles, "
                    f"users or an account's root; got {principal!r}"
                )
        return Customer(
            principals=lists["principals"],
            endpoints=lists["endpoints"],
            contact=str(known.get("contact", "")),
            certificate_subjects=lists["certificates.subjects"],
            client_ids=lists["tokens.clientIds"],
            token_subjects=lists["tokens.subjects"],
        )

    def _edited(self, edit: Any, name: str, value: Any, keys: tuple[str, ...]) -> str:
        try:
            return edit(self.text, ("config", CUSTOMERS, name, *keys), value)
        except yaml_edit.EditError as error:
            where = ".".join((CUSTOMERS, name, *keys))
            raise RefusedError(
                f"{self.name}: {where}: {error}; write it by hand: {yaml_edit.flow(value)}"
            ) from error


def _texts(field: str, entry: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The list at a dotted path of an entry, empty if absent."""
    value: Any = entry
    for key in path.split("."):
        if value in yaml_edit.NULLS or not value:
            return ()
        if not isinstance(value, dict):
            raise RefusedError(f"{field}: want a map for {path}; got {value!r}")
        value = cast("dict[str, Any]", value).get(key)
    items = cast("list[Any]", value or [])
    if not isinstance(items, list) or not all(isinstance(each, str) for each in items):
        raise RefusedError(f"{field}.{path}: want a list of text; got {value!r}")
    return tuple(items)


def account_of(principal: str) -> str:
    """The account id in a principal that PRINCIPAL matches."""
    match = PRINCIPAL.fullmatch(principal)
    if match is None:
        raise ValueError(f"want an IAM principal; got {principal!r}")
    return match[1] or match[2]


def producer_stacks(folder: Path) -> list[str]:
    """The stacks of a folder that are not a customer's, without unreadable ones; for messages."""
    found: list[str] = []
    for path in sorted(folder.glob("Pulumi.*.yaml")):
        with suppress(RefusedError):
            stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
            file = StackFile.read(stack, folder)
            if file and file.setting("mtls:role") != "consumer":
                found.append(stack)
    return found


def write(path: Path, text: str, replaces: str | None) -> None:
    """Replace the file in one step, so that no reader ever sees half of it.

    `replaces` is the text that must still be there, None for no file; else RefusedError is raised.
    """
    path = path.resolve()  # a link stays a link
    there = path.read_bytes().decode() if path.exists() else None
    if there != replaces:
        raise RefusedError(f"{path.name} has changed meanwhile; run this again")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode if there is not None else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
