"""The authorizer's deployment package: its code, the wheels it needs, and a stack's own files.

The same bytes for the same contents wherever it is built, so that a deployment changes the function
only when there is something to change.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import get_args

from components.wheels import Architecture, PackageError, Platform, wheels

__all__ = ["Architecture", "PackageError", "package"]

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "authorizer"
REQUIREMENTS = CODE / "requirements.txt"
BYTECODE = ROOT / "components" / "bytecode.py"
BUILD = ROOT / ".build"
"""Of packages and wheels; may be removed at any time that no deployment runs."""

RUNTIMES = ("python3.11", "python3.12", "python3.13")

KEPT_PACKAGES = 32
"""In the build folder; those not used for the longest go. 5 MB each."""

# The rest of a wheel is type stubs, records of its installation, and in cffi's case a compiler.
# METADATA stays for those who look for vulnerable versions in what is deployed, and each licence
# asks to be passed on.
_NEEDED = re.compile(
    r"(?:joserfc|cryptography)/.+\.py|cryptography/.+\.so|_cffi_backend\..+\.so"
    r"|[^/]+\.dist-info/(?:METADATA|licenses/.+)"
)

# What no import leads to from here: whole formats of messages and keys.
_UNUSED = re.compile(
    r"cryptography/(?:fernet|cobblestone|x509/ocsp|hazmat/asn1/.+)\.py"
    r"|cryptography/hazmat/primitives/(?:hpke|twofactor/.+|serialization/pkcs(?:7|12))\.py"
    r"|joserfc/(?:jw[est]|drafts/.+|_rfc7519/.+|_rfc7797/.+)\.py"
    r"|joserfc/(?:_rfc7515/(?:compact|json)|_rfc7516/(?:compact|json|message|types))\.py"
)

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say. No time of a build may be in it."""


def package(
    files: Mapping[str, bytes | str],
    *,
    architecture: Architecture,
    runtime: str,
    build: Path = BUILD,
) -> Path:
    """The path of a zip for a function of that architecture and runtime.

    `files` lie at its root beside the code, text in UTF-8. One that was built before is found by
    its contents; the first takes seconds and fetches wheels, which pip does. Raises PackageError
    where they cannot be had, or there is no Python of that runtime to compile for it.
    """
    if architecture not in get_args(Architecture) or runtime not in RUNTIMES:
        raise ValueError(
            f"architecture, runtime: want arm64 or x86_64, and one of {', '.join(RUNTIMES)}; "
            f"got {architecture!r}, {runtime!r}"
        )
    contents = {
        name: text.encode("utf-8") if isinstance(text, str) else text
        for name, text in sorted(files.items())
    }
    base_name = f"base-{_digest(_of_base(architecture, runtime))}"
    made_of = [(name.encode("utf-8"), text) for name, text in contents.items()]
    name = f"authorizer-{_digest([(base_name.encode(), b''), *made_of])}"
    target = build / "authorizer" / f"{name}.zip"
    if not _use(target):
        base = build / "authorizer" / f"{base_name}.zip"
        if not _use(base):
            _build_base(base, Platform(architecture=architecture, python=runtime[6:]), build)
        _add(base, contents, target)
        _clean(target.parent)
    return target


def _use(path: Path) -> bool:
    """Whether it is there; if so it counts as used now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _of_base(architecture: str, runtime: str) -> Iterator[tuple[bytes, bytes]]:
    """All that decides on a package's bytes but a stack's own files: the building code as well."""
    yield architecture.encode(), runtime.encode()
    for path in (Path(__file__), BYTECODE, REQUIREMENTS):
        yield path.name.encode(), path.read_bytes()
    for path in sorted(CODE.rglob("*.py")):
        yield path.relative_to(CODE).as_posix().encode(), path.read_bytes()


def _digest(pairs: Iterable[tuple[bytes, bytes]]) -> str:
    found = hashlib.sha256()
    for pair in pairs:
        for part in pair:
            found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()[:32]


def _build_base(target: Path, platform: Platform, build: Path) -> None:
    found = wheels(REQUIREMENTS, platform, build / "wheels")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(CODE, tree / CODE.name, ignore=_all_but_python)
        for wheel in found:
            _unpack(wheel, tree)
        _compile(tree, platform.python)
        made = Path(folder) / target.name
        with zipfile.ZipFile(made, "w") as archive:
            files = (path for path in tree.rglob("*") if path.is_file())
            for name in sorted(path.relative_to(tree).as_posix() for path in files):
                _write(archive, name, (tree / name).read_bytes())
        os.replace(made, target)  # noqa: PTH105 (in one step, should another process build it too)


def _all_but_python(folder: str, names: list[str]) -> list[str]:
    return [n for n in names if not n.endswith(".py") and not (Path(folder) / n).is_dir()]


def _unpack(wheel: Path, tree: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if _NEEDED.fullmatch(name) and not _UNUSED.fullmatch(name):
                archive.extract(name, tree)


def _compile(tree: Path, python: str) -> None:
    """With this interpreter or one on the PATH. Raises PackageError."""
    own = ".".join(map(str, sys.version_info[:2]))
    interpreter = sys.executable if python == own else shutil.which(f"python{python}")
    said = "no such command"
    if interpreter:
        command = [interpreter, "-I", str(BYTECODE), str(tree), python]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode == 0:
            return
        said = ran.stderr.strip().partition("\n")[0]
    raise PackageError(
        f"python{python}: wanted on the PATH, to compile for the runtime python{python}; {said}\n"
        f"Set the authorizer's runtime to python{own}, which runs this program, or install "
        f"Python {python}."
    )


def _write(archive: zipfile.ZipFile, name: str, text: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # Unix, which the permissions are of
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, text, compresslevel=6)


def _add(base: Path, files: Mapping[str, bytes], target: Path) -> None:
    """A package is its base with a stack's files at the end."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(shutil.copyfile(base, Path(folder) / target.name))
        with zipfile.ZipFile(made, "a") as archive:
            taken = {name.partition("/")[0] for name in archive.namelist()}
            for name, text in files.items():
                if "/" in name or name in taken:
                    raise ValueError(f"files: want names of no folder and no code; got {name!r}")
                _write(archive, name, text)
        os.replace(made, target)  # noqa: PTH105 (in one step, should another process build it too)


def _clean(folder: Path) -> None:
    """Another process may do this at once, so any of them may be gone."""
    used: list[tuple[float, Path]] = []
    for path in folder.glob("*.zip"):
        with contextlib.suppress(FileNotFoundError):
            used.append((path.stat().st_mtime, path))
    for _, path in sorted(used, reverse=True)[KEPT_PACKAGES:]:
        path.unlink(missing_ok=True)
