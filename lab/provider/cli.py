"""Finds the Pulumi CLI, or gets it: `python -m lab.provider.cli`.

In turn: the one on PATH, the one that an earlier run put into `.engine`, Pulumi's own installer,
and, where that cannot be reached, a build from the CLI's Go module.
"""

import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from pulumi.automation import PulumiCommand
from pulumi.automation.errors import InvalidVersionError
from semver import VersionInfo

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".engine"
GET_IT = "make engine"
_OLDEST = VersionInfo(3, 200, 0)
_MODULE = "github.com/pulumi/pulumi/pkg/v3"
_SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
_INSTALLER = "https://get.pulumi.com/install.sh"
_REACHED_WITHIN = 5
_INSTALLED_WITHIN = 300


class MissingCliError(Exception):
    """There is no Pulumi CLI that will do; the message says how to get one."""


def find_cli() -> PulumiCommand:
    """The CLI on PATH, or else the one in `.engine`. Raises MissingCliError."""
    for root in (None, str(FOLDER)):
        try:
            return PulumiCommand(root, _OLDEST)
        except (OSError, subprocess.CalledProcessError, InvalidVersionError):
            continue
    raise MissingCliError(f"no Pulumi CLI {_OLDEST} or later; get it with `{GET_IT}`")


def main() -> int:
    try:
        cli = find_cli()
    except MissingCliError:
        try:
            if not _install():
                _build()
            cli = find_cli()
        except MissingCliError as error:
            _say(f"error: {error}")
            return 1
    where = shutil.which(cli.command)
    sys.stdout.write(f"pulumi {cli.version} ({where})\n")
    return 0


def _install() -> bool:
    """Whether Pulumi's installer could be reached, and did it."""
    try:
        with urllib.request.urlopen(_INSTALLER, timeout=_REACHED_WITHIN):
            _say("Getting the Pulumi CLI by Pulumi's installer …")
    except OSError as error:
        _say(f"Pulumi's installer cannot be reached ({error}).")
        return False
    code = "import sys; from pulumi.automation import PulumiCommand as C; C.install(sys.argv[1])"
    try:
        subprocess.run(  # noqa: S603 our own interpreter
            [sys.executable, "-c", code, str(FOLDER)],
            check=True,
            capture_output=True,
            timeout=_INSTALLED_WITHIN,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        _say(f"Pulumi's installer failed ({type(error).__name__}).")
        return False
    return True


def _build() -> None:
    """Builds the version that `engine/go.mod` names. Raises MissingCliError."""
    go = shutil.which("go")
    if not go:
        raise MissingCliError("Go is missing: install Go 1.26 or later (https://go.dev/dl)")
    package = f"{_MODULE}/cmd/pulumi"
    _say("Building the Pulumi CLI from its Go module (once; some minutes) …")
    total = len(_go(go, "list", "-deps", package).split())
    release = _go(go, "list", "-m", "-f", "{{.Version}}", _MODULE).strip()
    stamp = f"-s -w -X {_SDK_MODULE}/go/common/version.Version={release}"
    binary = FOLDER / "bin" / "pulumi"
    binary.parent.mkdir(parents=True, exist_ok=True)
    new = binary.with_suffix(".new")
    building = subprocess.Popen(  # noqa: S603 the Go found on PATH
        [go, "build", "-v", "-ldflags", stamp, "-o", str(new), package],
        cwd=ROOT / "engine",
        stderr=subprocess.PIPE,
        text=True,
    )
    last = ""
    for done, line in enumerate(building.stderr or (), 1):
        last = line.strip()
        if done % 100 == 0:
            _say(f"  {done} of at most {total} packages")
    if building.wait():
        raise MissingCliError(f"the build failed: {last}")
    new.replace(binary)


def _go(go: str, *arguments: str) -> str:
    """What a Go command answers; its narration (downloads) goes to stderr."""
    ran = subprocess.run(  # noqa: S603 the Go found on PATH
        [go, *arguments], cwd=ROOT / "engine", stdout=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode:
        raise MissingCliError(f"`go {arguments[0]}` failed; what it said stands above")
    return ran.stdout


def environment(folder: Path, passphrase: str, attachments: str) -> dict[str, str]:
    """What the CLI must be told to work on the state in `folder` with the lab's providers."""
    return {
        # Without attributes beside each file: those are not replaced at once as the file is, so
        # a stack that refers to itself would now and then read half of them.
        "PULUMI_BACKEND_URL": f"file://{folder}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_DEBUG_PROVIDERS": attachments,
        # Or each run looks on the Internet for the AWS provider that the state names.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text}{os.linesep}")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
