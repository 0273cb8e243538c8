"""What a new execution environment pays: imports and the first decision, and the memory of it.

In a process that knows the package and the standard library alone, and has imported what Lambda's
own runtime has before it comes to a handler (awslambdaric, `bootstrap.py` and what that imports).
Next to it the same with PyJWT, which decides on the token alone and knows nothing of certificates
or tenants.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt

from bench.authorizer_case import AUDIENCE, ISSUER, Case
from components.authorizer_package import Architecture, package
from components.bytecode import compile_folder

ROUNDS = 25
RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"

_BEFORE = """
import concurrent.futures, decimal, importlib, json, logging, os, sys, time, traceback
sys.path.insert(0, sys.argv[1])
event = json.load(sys.stdin)
started = time.perf_counter()
"""
_AFTER = """
seconds = time.perf_counter() - started
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(seconds, *peak)
"""
_OURS = """
from authorizer.handler import handle
assert handle(event, None)["principalId"] == "acme"
"""
_PYJWT = f"""
import jwt
token = event["multiValueHeaders"]["Authorization"][0][7:]
keys = jwt.PyJWKSet.from_json(open(sys.argv[1] + "/jwks.json").read())
key = keys[jwt.get_unverified_header(token)["kid"]]
jwt.decode(token, key, ["RS256"], issuer={ISSUER!r}, audience={AUDIENCE!r})
"""
_SCRIPTS = {"nothing": "", "x509": "from cryptography import x509", "ours": _OURS, "pyjwt": _PYJWT}


@dataclass(frozen=True, kw_only=True)
class Cold:
    """Milliseconds and MiB of one process each, the least of all; bytes of packages.

    `nothing` beyond the runtime and the event; `x509` is the import of the parser of certificates.
    """

    milliseconds: Mapping[str, float]
    mebibytes: Mapping[str, float]
    package_bytes: Mapping[str, int]


def cold() -> Cold:
    case = Case("RS256")
    own: Architecture = "x86_64" if platform.machine() == "x86_64" else "arm64"
    architectures: tuple[Architecture, ...] = ("arm64", "x86_64")
    packages = {
        one: package(case.files(), architecture=one, runtime=RUNTIME) for one in architectures
    }
    event = json.dumps(case.event(case.token()))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in _SCRIPTS}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with zipfile.ZipFile(packages[own]) as archive:
            archive.extractall(folder)
        _add_pyjwt(folder)
        for _ in range(ROUNDS):
            for name, script in _SCRIPTS.items():
                found[name].append(_run(folder, script, event))
    return Cold(
        milliseconds={name: min(run[0] for run in runs) * 1e3 for name, runs in found.items()},
        mebibytes={name: min(run[1] for run in runs) / 1024 for name, runs in found.items()},
        package_bytes={name: path.stat().st_size for name, path in packages.items()},
    )


def _add_pyjwt(folder: Path) -> None:
    """With the same kind of bytecode."""
    with tempfile.TemporaryDirectory() as text:
        shutil.copytree(Path(jwt.__file__).parent, Path(text) / "jwt")
        compile_folder(Path(text))
        shutil.copytree(text, folder, dirs_exist_ok=True)


def _run(folder: Path, script: str, event: str) -> tuple[float, float]:
    """Seconds, and KiB at most: what Linux says of this process and not of the one it was forked
    from.
    """
    command = [sys.executable, "-I", "-S", "-c", _BEFORE + script + _AFTER, str(folder)]
    ran = subprocess.run(  # noqa: S603 (our own program)
        command, input=event, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise SystemExit(f"bench: a first decision failed:\n{ran.stdout}{ran.stderr}")
    seconds, kibibytes = ran.stdout.split()
    return float(seconds), float(kibibytes)
