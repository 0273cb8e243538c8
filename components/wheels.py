"""Wheels of other platforms than this one, each known by its hash: fetched once, then kept."""

import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Architecture = Literal["arm64", "x86_64"]

MACHINES: dict[Architecture, str] = {"arm64": "aarch64", "x86_64": "x86_64"}
"""What Lambda's architectures are called in the tags of wheels."""

# How long pip tries an index that does not answer; its own defaults make minutes of it.
_PATIENCE = ("--timeout", "15", "--retries", "1")
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)==(\S+)((?:\s+--hash=sha256:[0-9a-f]{64})+)")


class PackageError(Exception):
    """A deployment package cannot be built: what lacks, and how to provide it."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """`python` is the version as in '3.13'."""

    architecture: Architecture
    python: str

    def takes(self, wheel: str) -> bool:
        """Whether a wheel of that file name runs there (PEP 425)."""
        *_, abi, system = wheel.removesuffix(".whl").split("-")
        own_abi = f"cp{self.python.replace('.', '')}"
        return abi in ("none", "abi3", own_abi) and (
            system == "any" or system.endswith(f"_{MACHINES[self.architecture]}")
        )


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One version of a distribution, and the SHA-256 of each of its wheels in hex."""

    name: str
    version: str
    hashes: frozenset[str]


def wheels(requirements: Path, platform: Platform, kept: Path) -> list[Path]:
    """A wheel for each line of a requirements file, in its order, with the hash named there.

    Nothing is fetched that lies in the folder `kept`. Raises PackageError.
    """
    wanted = _parse(requirements)
    found = [_find(one, platform, kept) for one in wanted]
    if None in found:
        _download(requirements, platform, kept, wanted)
        found = [_find(one, platform, kept) for one in wanted]
    return [wheel for wheel in found if wheel is not None]


def _parse(requirements: Path) -> list[Requirement]:
    text = requirements.read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        Requirement(
            name=match[1],
            version=match[2],
            hashes=frozenset(re.findall(r"sha256:([0-9a-f]{64})", match[3])),
        )
        for match in _REQUIREMENT.finditer(text)
    ]


def _find(wanted: Requirement, platform: Platform, folder: Path) -> Path | None:
    """What lies there under the right name with a wrong hash is as good as not there."""
    for path in sorted(folder.glob(f"{wanted.name}-{wanted.version}-*.whl")):
        if platform.takes(path.name) and _sha256(path) in wanted.hashes:
            return path
    return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _download(
    requirements: Path, platform: Platform, kept: Path, wanted: Sequence[Requirement]
) -> None:
    """Each wheel moves to its place in one step: two processes may do this at once."""
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        command = _pip_download(requirements, platform, folder)
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        # pip checks the hashes too; looking again costs little and trusts nothing.
        fetched = [_find(one, platform, Path(folder)) for one in wanted]
        for wheel in fetched:
            if wheel is not None:
                os.replace(wheel, kept / wheel.name)  # noqa: PTH105 (of the same file system)
    lacking = [one for one in wanted if _find(one, platform, kept) is None]
    if lacking:
        raise PackageError(_advice(lacking, platform, kept, command, ran.stderr))


def _pip_download(requirements: Path, platform: Platform, folder: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", *_PATIENCE),
        *("--platform", f"manylinux2014_{MACHINES[platform.architecture]}"),
        *("--implementation", "cp", "--python-version", platform.python),
        *("--dest", folder, "--requirement", str(requirements)),
    ]


def _advice(
    lacking: Sequence[Requirement],
    platform: Platform,
    kept: Path,
    command: Sequence[str],
    errors: str,
) -> str:
    names = ", ".join(f"{one.name} {one.version}" for one in lacking)
    said = [line for line in errors.splitlines() if line.strip()] or ["nothing"]
    elsewhere = shlex.join([*command[1:]]).replace(command[-3], kept.name)
    return (
        f"No wheel with a pinned hash of {names} for {platform.architecture} and Python "
        f"{platform.python}. pip said: {said[-1]}\n"
        f"Without a network, run this where there is one: python {elsewhere}\n"
        f"and put the wheels into {kept}; or name a mirror in PIP_INDEX_URL, or a folder of wheels "
        "in PIP_FIND_LINKS."
    )
