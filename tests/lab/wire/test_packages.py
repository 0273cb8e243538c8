import importlib.machinery
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lab.wire import packages
from lab.wire.functions import NotModelledError
from tests.lab.wire.private_api import Lab, make_function

SPARC = 2
"""An ELF machine (e_machine) that this lab never runs on."""
BROKEN = "raise ImportError('cannot open shared object file')"


def elf(machine: int) -> bytes:
    """The header of a 64-bit little-endian library."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + machine.to_bytes(2, "little")


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def deployed(lab: Lab, name: str, files: dict[str, str | bytes], **settings: Any) -> str:
    arn = make_function(lab[0], name, "", **settings)
    client = lab[0].client("lambda")
    client.get_function(FunctionName=name)  # settles it
    architectures = {"Architectures": settings["Architectures"]} if settings else {}
    client.update_function_code(FunctionName=name, ZipFile=zipped(files), **architectures)
    return arn


def test_a_package_for_another_processor_is_this_machines_and_the_log_says_so_once(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    handler = """
import cryptography.x509, own
def handler(event, context):
    return [cryptography.x509.__file__, own.__file__]
"""
    arn = deployed(
        lab,
        "arm",
        {
            "app.py": handler,
            "own.py": "",
            "_cffi_backend.cpython-399-aarch64-linux-gnu.so": elf(SPARC),
            "cryptography/__init__.py": BROKEN,
            "cryptography/hazmat/bindings/_rust.abi3.so": elf(SPARC),
        },
        Architectures=["arm64"],
    )
    for _ in range(2):
        theirs, own = lab[1].invoke(arn, None, 20).payload
        assert theirs.startswith(packages.MACHINE_PACKAGES)
        assert not own.startswith(packages.MACHINE_PACKAGES)
    text = "another platform or Python, so this machine's run instead: _cffi_backend, cryptography"
    assert caplog.text.count(text) == 1


def test_a_package_that_this_machine_lacks_too_does_not_run(lab: Lab) -> None:
    files = {"app.py": "handler = print", "nosuch/fast.so": elf(SPARC)}
    with pytest.raises(NotModelledError, match="its nosuch is built for another platform"):
        lab[1].invoke(deployed(lab, "lacks", files), None, 10)


def test_a_package_that_the_zip_forgot_is_still_missing(lab: Lab) -> None:
    handler = "import cryptography\ndef handler(event, context): return 1"
    files = {"app.py": handler, "_cffi_backend.abi3.so": elf(SPARC)}
    result = lab[1].invoke(deployed(lab, "forgot", files), None, 10)
    assert result.payload["errorMessage"] == (
        "Unable to import module 'app': No module named 'cryptography'"
    )


def own_library() -> bytes:
    return Path(sys.executable).resolve().read_bytes()[:64]


@pytest.mark.parametrize("suffix", importlib.machinery.EXTENSION_SUFFIXES)
def test_what_this_python_loads_is_not_foreign(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"fast{suffix}").write_bytes(own_library())
    assert packages.foreign(tmp_path) == frozenset()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("fast/deep/down.abi3.so", elf(SPARC)),
        ("fast.cpython-399-x86_64-linux-gnu.so", own_library()),
        ("fast/lib.so", b""),
    ],
)
def test_what_it_does_not_load_is_foreign_by_its_top_level_name(
    tmp_path: Path, path: str, content: bytes
) -> None:
    library = tmp_path / path
    library.parent.mkdir(parents=True, exist_ok=True)
    library.write_bytes(content)
    (tmp_path / "pure.py").write_text("")
    assert packages.foreign(tmp_path) == {"fast"}
