"""`python -m lab`: the stack on this machine, without an AWS account."""

import argparse
import json
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

from lab import report
from lab.attempt import MissingToolError
from lab.cases import run_cases
from lab.description import write_description
from lab.provider.cli import MissingCliError
from lab.provider.config import ConfigError
from lab.provider.inprocess import DeployError
from lab.session import ENGINES, Lab
from lab.tokens import RENEWAL, NoTokenError, request_token

ROOT = Path.cwd()
STOP_SECONDS = 20


def main() -> int:
    """Exit 0 done, 1 failed or not as expected, 2 usage."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    try:
        return options.run(options)
    except DeployError as error:
        _say(str(error))
    except (ConfigError, MissingCliError, MissingToolError, NoTokenError) as error:
        _say(f"error: {error}")
    except KeyboardInterrupt:
        _say("stopped")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", _up, "deploy, say how to call it, and keep it running until interrupted"),
        ("demo", _demo, "deploy, try every case, print the table, and stop"),
        ("down", _down, "stop a running lab"),
        ("status", _status, "say whether a lab is running, and how to call it"),
        ("token", _token, "print a fresh access token for a client of a running lab"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument(
            "--state", type=Path, default=Path(".lab"), metavar="DIR", help="default: .lab"
        )
        if name == "token":
            command.add_argument(
                "--client",
                required=True,
                metavar="NAME",
                help="a client or customer of the producer's stack that tokens are accepted of",
            )
        if name in ("up", "demo"):
            command.add_argument(
                "--stack",
                nargs="+",
                default=["dev", "acme"],
                help="stack configs, in order, the producer's first; default: dev acme",
            )
            command.add_argument(
                "--engine",
                choices=ENGINES,
                default="inprocess",
                help="what deploys: a small engine of the lab's own, or the Pulumi CLI",
            )
    return parser


def _lab(options: argparse.Namespace) -> Lab:
    return Lab(ROOT, options.stack, options.state.absolute(), _say, options.engine)


def _up(options: argparse.Namespace) -> int:
    if pid := _running(options.state):
        _say(f"error: a lab runs already (process {pid}); stop it with `python -m lab down`")
        return 1
    with _lab(options) as lab:
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        pid_file = options.state / "lab.pid"
        pid_file.write_text(str(os.getpid()))
        try:
            _print_calls(write_description(lab))
            _say("Running; Ctrl-C stops it.")
            while not stopped.wait(RENEWAL.total_seconds()):
                lab.tokens.renew()
            _say("Stopping …")
        finally:
            pid_file.unlink()
    return 0


def _demo(options: argparse.Namespace) -> int:
    started = time.monotonic()
    with _lab(options) as lab:
        sys.stdout.write(f"\n{report.heading()}\n")
        results = []
        for result in run_cases(lab):
            results.append(result)
            sys.stdout.write(f"{report.row(result)}\n")
            sys.stdout.flush()
    seconds = time.monotonic() - started
    sys.stdout.write(f"\n{report.summary(results)} ({seconds:.0f} s)\n")
    return 0 if all(result.passed for result in results) else 1


def _down(options: argparse.Namespace) -> int:
    pid = _running(options.state)
    if not pid:
        _say("No lab is running.")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _running(options.state):
        if time.monotonic() > deadline:
            _say(f"error: process {pid} did not stop within {STOP_SECONDS} s")
            return 1
        time.sleep(0.1)
    _say("Stopped.")
    return 0


def _status(options: argparse.Namespace) -> int:
    pid = _running(options.state)
    if not pid:
        _say("No lab is running; start one with `python -m lab up`.")
        return 1
    _say(f"Running (process {pid}).")
    _print_calls(options.state / "lab.json")
    return 0


def _token(options: argparse.Namespace) -> int:
    if not _running(options.state):
        _say("error: no lab is running; start one with `python -m lab up`")
        return 1
    issuer = json.loads((options.state / "lab.json").read_text())["issuer"]
    if issuer is None:
        _say("error: the stack accepts no tokens that the lab could issue; see mtls:authorizer")
        return 1
    client = issuer["clients"].get(options.client)
    if client is None:
        known = ", ".join(issuer["clients"]) or "nobody"
        _say(f"error: --client: the issuer does not know {options.client!r}, but {known}")
        return 1
    sys.stdout.write(f"{request_token(issuer['token_endpoint'], **client)}\n")
    return 0


def _running(state: Path) -> int | None:
    """The process id of the lab of this state folder, if it is alive."""
    try:
        pid = int((state / "lab.pid").read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid


def _print_calls(description: Path) -> None:
    known = json.loads(description.read_text())
    for name, account in known["accounts"].items():
        sys.stdout.write(f"\nThe AWS API, in the account {name} ({account['account_id']}):\n")
        sys.stdout.write(
            f"  export AWS_ENDPOINT_URL={known['aws_endpoint_url']} AWS_REGION={known['region']} "
            f"AWS_ACCESS_KEY_ID={account['access_key_id']} "
            f"AWS_SECRET_ACCESS_KEY={account['secret_access_key']}\n"
        )
    for client in known["clients"]:
        sys.stdout.write(f"\nCall it as {client['name']}:\n")
        command = [
            "curl", "--connect-to", client["connect_to"], "--cacert", client["ca_file"],
            "--cert", client["cert_file"], "--key", client["key_file"],
        ]  # fmt: skip
        bearer = ""
        if client["token_file"]:  # which holds a fresh one while the lab is running
            bearer = f'--header "Authorization: Bearer $(cat {shlex.quote(client["token_file"])})" '
        sys.stdout.write(f"  {shlex.join(command)} {bearer}{client['url']}/widgets\n")
    engines = json.loads(description.with_name("engines.json").read_text())
    for stack, engine in engines.items():
        settings = shlex.join(f"{name}={value}" for name, value in engine["environment"].items())
        sys.stdout.write(f"\nThe stack {stack}, by Pulumi's CLI:\n")
        sys.stdout.write(f"  cd {shlex.quote(engine['folder'])}; export {settings}\n")
        sys.stdout.write(f"  {shlex.quote(engine['cli'])} stack --stack {stack}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
