"""Packages in a function's code that are built for another platform or Python than this machine's.

A function for arm64 with the newest Python is to run on a laptop of any kind: where a package has a
native library that cannot be loaded here, this machine's package of that name runs instead. The
rest, pure Python, runs as it was deployed. Which libraries need a newer C library, and which Python
a stable-ABI library (`.abi3.so`) asks for, is not looked at.
"""

import importlib.machinery
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

MACHINE_PACKAGES = sysconfig.get_path("purelib")
"""Where this machine's packages are."""


def foreign(code: Path) -> frozenset[str]:
    """Names of the top-level packages and modules below `code` that cannot run here."""
    own = _kind(Path(sys.executable).resolve())
    return frozenset(
        library.relative_to(code).parts[0].partition(".")[0]
        for library in code.rglob("*.so")
        if _kind(library) != own or not _fits(library.name)
    )


def of_this_machine(names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that this machine has."""
    find = importlib.machinery.PathFinder.find_spec
    return frozenset(name for name in names if find(name, [MACHINE_PACKAGES]))


def _kind(binary: Path) -> bytes:
    """The ELF magic, class and machine (ELF header: e_ident[0:5], e_machine)."""
    with binary.open("rb") as file:
        header = file.read(20)
    return header[:5] + header[18:20]


def _fits(name: str) -> bool:
    """Whether a library's tag is one that this Python loads (PEP 3149); one without a tag is."""
    suffix = name[name.index(".") :]
    return suffix in importlib.machinery.EXTENSION_SUFFIXES or ".cpython-" not in suffix
