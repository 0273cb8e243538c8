"""The authorizer's deployment package: its bytes, what is in it, and that it answers."""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import components.wheels
from components import authorizer_package
from components.authorizer_package import BUILD, Architecture, PackageError, package
from components.wheels import Platform, wheels
from tests.authorizer.certifying import ca, leaf
from tests.authorizer.issuing import (
    NOW,
    event,
    jwk,
    jwks,
    key,
    resources,
    settings,
    token,
)
from tests.components.checks import refused
from tests.conftest import ROOT

OWN_RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
OWN_ARCHITECTURE: Architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
OTHER_RUNTIME = "python3.12" if OWN_RUNTIME == "python3.13" else "python3.13"
FILES: dict[str, bytes | str] = {"config.json": json.dumps(settings())}
MAX_BYTES = 5_300_000
ELF_MACHINES: dict[Architecture, int] = {"x86_64": 0x3E, "arm64": 0xB7}

ANSWER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from authorizer import handler
handler.time.time = lambda: float(sys.argv[2])
answers = [handler.handle(event, None) for event in json.load(sys.stdin)]
found = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
json.dump([answers, found], sys.stdout)
"""


@pytest.fixture(scope="module")
def kept_wheels() -> Path:
    """This machine's wheels for both architectures; fetched if they have never been."""
    for architecture in ELF_MACHINES:
        platform_ = Platform(architecture=architecture, python=OWN_RUNTIME[6:])
        wheels(authorizer_package.REQUIREMENTS, platform_, BUILD / "wheels")
    return BUILD / "wheels"


@pytest.fixture
def build(tmp_path: Path, kept_wheels: Path) -> Path:
    """A build folder with all wheels and no package."""
    shutil.copytree(kept_wheels, tmp_path / "build" / "wheels", copy_function=os.symlink)
    return tmp_path / "build"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, kept_wheels: Path) -> Path:
    """One for tests that look at packages, and not at how they are built."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(kept_wheels, folder / "wheels", copy_function=os.symlink)
    return folder


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No index; answers the folder of what pip may find."""
    (tmp_path / "found").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "found"))
    return tmp_path / "found"


@pytest.fixture
def old_mask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def made(
    build: Path,
    files: Mapping[str, bytes | str] = FILES,
    architecture: Architecture = OWN_ARCHITECTURE,
) -> Path:
    return package(files, architecture=architecture, runtime=OWN_RUNTIME, build=build)


def asked(unpacked: Path, *events: object) -> tuple[list[Any], dict[str, str | None]]:
    """Answers of a process that knows only the package and the standard library; its modules."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ANSWER, str(unpacked), str(NOW)],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.stderr, ran.stdout
    *_, found = ran.stdout.splitlines()
    answers, modules = json.loads(found)
    return answers, modules


def unpack(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def test_the_same_contents_are_the_same_bytes(
    tmp_path: Path, build: Path, monkeypatch: pytest.MonkeyPatch, old_mask: None
):
    """Of another copy of the code, at another time and with another umask."""
    path = made(build)
    copy, other = tmp_path / "copy" / "authorizer", tmp_path / "other"
    shutil.copytree(authorizer_package.CODE, copy)
    for file in copy.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    (copy / "left.txt").touch()
    shutil.copytree(build / "wheels", other / "wheels")
    monkeypatch.setattr(authorizer_package, "CODE", copy)
    again = made(other)
    assert again.name == path.name
    assert again.read_bytes() == path.read_bytes()


def test_what_differs_has_another_name(
    tmp_path: Path, build: Path, monkeypatch: pytest.MonkeyPatch
):
    names = {made(build).name, made(build, {}).name, made(build, {"config.json": "{}"}).name}
    names.add(made(build, {"config.jso": "n" + "{}"}).name)
    copy = tmp_path / "copy" / "authorizer"
    shutil.copytree(authorizer_package.CODE, copy)
    with (copy / "handler.py").open("a") as file:
        file.write("\n")
    monkeypatch.setattr(authorizer_package, "CODE", copy)
    names.add(made(build).name)
    assert len(names) == 5


def test_a_package_that_is_there_is_not_built_again(build: Path, monkeypatch: pytest.MonkeyPatch):
    path = made(build)
    written = path.stat().st_ino
    # Neither wheels nor another interpreter are asked for.
    shutil.rmtree(build / "wheels")
    monkeypatch.setattr(authorizer_package, "wheels", None)
    assert made(build) == path
    assert path.stat().st_ino == written
    # A stack's other files go with the code that is there.
    assert made(build, {"config.json": "{}"}) != path


def test_an_answer_comes_from_the_package_alone(tmp_path: Path, built: Path):
    static = {**FILES, "jwks.json": jwks(jwk(key("rsa-2048")))}
    unpacked = unpack(made(built, static), tmp_path / "task")
    [answer], modules = asked(unpacked, event())
    assert resources(answer) == ["GET/widgets", "GET/whoami"]
    for name, file in modules.items():
        if name.partition(".")[0] in ("authorizer", "cryptography", "joserfc", "_cffi_backend"):
            assert file is None or Path(file).is_relative_to(unpacked), name


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("rsa-2048", "PS384"), ("P-256", "ES256"), ("P-521", "ES512"), ("Ed25519", "EdDSA")],
)
def test_every_kind_of_key_is_served_in_passthrough_mode(
    tmp_path: Path, built: Path, kind: str, algorithm: str
):
    """What is pruned is not missed on any way: keys, chains, and the client of the issuer."""
    root = ca("root")
    acme = leaf("acme", root)
    config = settings(mode="passthrough", algorithms=[algorithm])
    keys_of = jwks(jwk(key(kind)))
    stack: dict[str, bytes | str] = {
        "config.json": json.dumps(config),
        "jwks.json": keys_of,
        "ca-bundle.pem": root.pem,
    }
    found = event(token(private=key(kind), algorithm=algorithm), acme.pem, header="X-Client-Cert")
    [answer], _ = asked(unpack(made(built, stack), tmp_path / "task"), found)
    assert resources(answer) == ["GET/widgets", "GET/whoami"]


def test_the_client_of_the_issuer_is_there(tmp_path: Path, built: Path):
    """Nobody listens there: what is to be seen is that it was tried, and not that it lacks."""
    config = settings(jwksUri="https://127.0.0.1:1/")
    unpacked = unpack(made(built, {"config.json": json.dumps(config)}), tmp_path / "task")
    with pytest.raises(AssertionError, match=r"FetchError.*ConnectionRefusedError"):
        asked(unpacked, event())


@pytest.mark.parametrize("architecture", ELF_MACHINES)
def test_compiled_modules_are_of_the_architecture(built: Path, architecture: Architecture):
    with zipfile.ZipFile(made(built, architecture=architecture)) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".so")]
        machines = {struct.unpack_from("<H", archive.read(name), 18)[0] for name in compiled}
    assert len(compiled) == 2
    assert machines == {ELF_MACHINES[architecture]}


def test_bytecode_is_included_and_never_checked_against_its_source(built: Path):
    """PEP 552: bit 0 of the flags says hash-based, bit 1 that the hash is to be checked."""
    tag = sys.implementation.cache_tag
    with zipfile.ZipFile(made(built)) as archive:
        names = archive.namelist()
        sources = [name for name in names if name.endswith(".py")]
        for name in sources:
            folder, _, module = name.rpartition("/")
            code = archive.read(f"{folder}/__pycache__/{module[:-3]}.{tag}.pyc")
            assert struct.unpack_from("<I", code, 4) == (1,), name
    assert len([name for name in names if name.endswith(".pyc")]) == len(sources)


@pytest.mark.parametrize("architecture", ELF_MACHINES)
def test_nothing_is_in_it_that_is_not_used(built: Path, architecture: Architecture):
    path = made(built, architecture=architecture)
    assert path.stat().st_size <= MAX_BYTES
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert names[-1] == "config.json"
    roots = {name.partition("/")[0] for name in names}
    metadata = {name for name in roots if name.endswith(".dist-info")}
    compiled = {name for name in roots if name.startswith("_cffi_backend.")}
    assert roots - metadata - compiled == {"authorizer", "cryptography", "joserfc", "config.json"}
    for name in metadata:
        inside = {one.split("/")[1] for one in names if one.startswith(f"{name}/")}
        assert inside == {"METADATA", "licenses"}
    rest = [name for name in names if name.partition("/")[0] not in metadata | {"config.json"}]
    assert all(name.endswith((".py", ".pyc", ".so")) for name in rest)
    assert not [name for name in rest if re.search(r"test|fernet|pkcs12|twofactor|/jwe\.", name)]


def test_permissions_and_times_say_nothing_of_the_machine(built: Path, old_mask: None):
    with zipfile.ZipFile(made(built)) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == [*sorted(names[:-1]), "config.json"]  # and not as the file system has them
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_what_is_deployed_is_what_is_tested_here():
    text = authorizer_package.REQUIREMENTS.read_text()
    for name in ("joserfc", "cryptography", "cffi"):
        assert f"\n{name}=={importlib.metadata.version(name)} " in text


def test_kept_wheels_need_no_network(build: Path, monkeypatch: pytest.MonkeyPatch):
    """pip is not even asked."""
    monkeypatch.setattr(components.wheels, "_download", None)
    assert made(build).exists()


def test_wheels_that_cannot_be_had_are_named(tmp_path: Path, offline: Path):
    other = "x86_64" if OWN_ARCHITECTURE == "arm64" else "arm64"
    with pytest.raises(PackageError) as refusal:
        made(tmp_path / "build", architecture=other)
    said = str(refusal.value)
    version = importlib.metadata.version("cryptography")
    assert f"cryptography {version}, cffi" in said
    assert f"for {other} and Python {OWN_RUNTIME[6:]}" in said
    assert f"put the wheels into {tmp_path / 'build' / 'wheels'}" in said
    assert re.search(r"run this .*: python -m pip download .* --dest wheels ", said)
    assert "PIP_INDEX_URL" in said
    assert "pip said: ERROR: " in said
    assert not list((tmp_path / "build" / "wheels").iterdir())


def test_a_wheel_that_was_changed_is_refused(build: Path, offline: Path):
    """In the build folder and where pip finds it alike."""
    wheel = next((build / "wheels").glob("joserfc-*.whl"))
    text = wheel.read_bytes()
    wheel.unlink()
    wheel.write_bytes(text + b"\0")
    (offline / wheel.name).write_bytes(text + b"\0")
    with pytest.raises(PackageError, match=r"^No wheel with a pinned hash of joserfc \S+ for "):
        made(build)
    assert not (build / "authorizer").exists()


def test_a_changed_wheel_gives_way_to_the_right_one(build: Path, offline: Path):
    for wheel in (build / "wheels").glob("*.whl"):
        shutil.copyfile(wheel, offline / wheel.name)
    wheel = next((build / "wheels").glob("joserfc-*.whl"))
    wheel.unlink()
    wheel.write_bytes(b"")
    assert made(build).exists()
    assert wheel.stat().st_size


def test_a_runtime_without_its_python_is_refused(
    build: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Not there, and there but not that Python."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(authorizer_package, "wheels", lambda *_: [])
    for said in ("no such command", f"this is Python {OWN_RUNTIME[6:]}"):
        if said != "no such command":
            (tmp_path / OTHER_RUNTIME).symlink_to(sys.executable)
        with pytest.raises(PackageError) as refusal:
            package({}, architecture="arm64", runtime=OTHER_RUNTIME, build=build)
        assert str(refusal.value) == (
            f"{OTHER_RUNTIME}: wanted on the PATH, to compile for the runtime {OTHER_RUNTIME}; "
            f"{said}\nSet the authorizer's runtime to {OWN_RUNTIME}, which runs this program, or "
            f"install Python {OTHER_RUNTIME[6:]}."
        )


def test_foreign_platforms_are_refused():
    for architecture, runtime in (("arm", "python3.13"), ("arm64", "python3.10")):
        with refused(
            "architecture, runtime: want arm64 or x86_64, and one of python3.11, python3.12, "
            f"python3.13; got '{architecture}', '{runtime}'"
        ):
            package({}, architecture=architecture, runtime=runtime)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["authorizer", "joserfc", "x/config.json", "_cffi_backend.py/x"])
def test_a_file_takes_no_place_of_the_code(built: Path, name: str):
    with refused(f"files: want names of no folder and no code; got '{name}'"):
        made(built, {name: ""})


def test_two_builds_at_once_do_not_meet(build: Path):
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(made(build))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 3
    assert len(set(paths)) == 1
    with zipfile.ZipFile(paths[0]) as archive:
        assert archive.testzip() is None
    left = [path for path in (build / "authorizer").iterdir() if path.suffix != ".zip"]
    assert not left


def test_old_packages_go(build: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(authorizer_package, "KEPT_PACKAGES", 3)
    first, second = made(build, {"a": ""}), made(build, {"b": ""})
    for age, path in enumerate((first, second)):
        os.utime(path, (age, age))
    assert made(build, {"a": ""}) == first  # used again
    assert made(build, {"c": ""}).exists()
    assert first.exists()
    assert not second.exists()


def test_wheels_for_every_runtime_are_pinned():
    """One wheel of joserfc, two of cryptography's, and cffi's for three Pythons."""
    text = (ROOT / "authorizer" / "requirements.txt").read_text()
    pins = {
        part.split("==")[0].split()[-1]: part.count("--hash=sha256:")
        for part in re.findall(r"\S+==\S+(?: \\\n +--hash=\S+)+", text)
    }
    assert pins == {"joserfc": 1, "cryptography": 2, "cffi": 6}
