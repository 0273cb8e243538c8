"""What a running lab writes down: `lab.json`, how to call it, and `engines.json`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.provider.inprocess import Deployment
from lab.session import PRODUCER, Lab


def describe(lab: Lab) -> dict[str, Any]:
    """What `.lab/lab.json` holds."""
    clients = lab.clients()
    customers = {one.name: one.account for one in clients if one.account != PRODUCER}
    return {
        "aws_endpoint_url": lab.cloud.endpoint_url,
        "region": lab.region,
        "accounts": {name: asdict(key) for name, key in lab.cloud.credentials.items()},
        "outputs": {stack: _shown(made) for stack, made in lab.deployments.items()},
        "issuer": lab.tokens.described(customers),
        "clients": [client.described() for client in clients],
    }


def write_description(lab: Lab) -> Path:
    """Write `lab.json`, and `engines.json`: how to work on each stack with the Pulumi CLI."""
    engines = {
        stack: {
            "folder": str(one.workspace_folder),
            "cli": one.cli.command,
            "environment": one.environment,
        }
        for stack, one in lab.engines.items()
    }
    _write(lab.folder / "engines.json", engines)
    return _write(lab.folder / "lab.json", describe(lab))


def _write(path: Path, content: Any) -> Path:
    """All at once, and readable by its owner only: it names keys."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(content, indent=2) + "\n")
    return new.replace(path)


def _shown(deployment: Deployment) -> dict[str, Any]:
    """A stack's outputs as Pulumi shows them: secrets are not."""
    return {
        name: "[secret]" if name in deployment.secret_outputs else value
        for name, value in deployment.outputs.items()
    }
