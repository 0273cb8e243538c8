"""Pulumi's assets and archives as bytes: the same content always gives the same zip."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi

from lab.provider.schema import RefusalError


def asset_bytes(asset: Any) -> bytes:
    """The content of a FileAsset or StringAsset, or the zip of an archive.

    Raises RefusalError for remote ones.
    """
    if isinstance(asset, pulumi.FileAsset):
        return Path(asset.path).read_bytes()
    if isinstance(asset, pulumi.StringAsset):
        return asset.text.encode()
    if isinstance(asset, pulumi.FileArchive) and Path(asset.path).is_file():
        return Path(asset.path).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(archive_members(asset)):
            info = zipfile.ZipInfo(name)  # dated 1980, whatever the file says
            info.external_attr = 0o100755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def archive_members(archive: Any, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """The (path, content) pairs that an archive holds.

    Raises RefusalError for what is not read from this machine.
    """
    if isinstance(archive, pulumi.AssetArchive):
        for name, member in archive.assets.items():
            path = f"{prefix}{name}".removesuffix("/.").removesuffix("/")
            path = "" if path == "." else path
            if isinstance(member, pulumi.Archive):
                yield from archive_members(member, f"{path}/" if path else "")
            else:
                yield path, asset_bytes(member)
    elif isinstance(archive, pulumi.FileArchive):
        yield from _directory_members(Path(archive.path), prefix)
    else:
        raise RefusalError(
            f"a {type(archive).__name__} is not modelled; use a file, a folder or a string"
        )


def _directory_members(root: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    if not root.exists():
        raise RefusalError(f"couldn't read archive path '{root}': no such file or directory")
    if root.is_file():
        with zipfile.ZipFile(root) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    yield f"{prefix}{name}", archive.read(name)
        return
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield f"{prefix}{path.relative_to(root).as_posix()}", path.read_bytes()


def fingerprint(asset: Any) -> dict[str, str]:
    """What stands for an asset in the state and in comparisons: its kind and the hash of its
    content.
    """
    return {
        "kind": "archive" if isinstance(asset, pulumi.Archive) else "asset",
        "sha256": hashlib.sha256(asset_bytes(asset)).hexdigest(),
    }


def with_fingerprints(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with each asset or archive replaced by its fingerprint."""
    return {
        name: fingerprint(value) if isinstance(value, (pulumi.Asset, pulumi.Archive)) else value
        for name, value in values.items()
    }
