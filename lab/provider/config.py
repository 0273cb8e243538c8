"""A stack's configuration as `pulumi up` would read it from Pulumi.yaml and Pulumi.<stack>.yaml."""

import json
from pathlib import Path
from typing import Any

import yaml


class ConfigError(Exception):
    """A configuration file that Pulumi would not take."""


def load_config(root: Path, stack: str) -> tuple[str, dict[str, str]]:
    """The project's name and the configuration of `stack`, keys with their namespace, values as
    text.

    Objects and lists become JSON, booleans "true" and "false", as the engine hands them to a
    program. Raises ConfigError for a missing or malformed file and for a value that only a
    passphrase opens.
    """
    project = _read(root / "Pulumi.yaml")
    name = project.get("name")
    if not isinstance(name, str):
        raise ConfigError(f"{root / 'Pulumi.yaml'}: 'name' is missing")
    config: dict[str, str] = {}
    for key, declared in (project.get("config") or {}).items():
        value = declared
        if isinstance(declared, dict):
            value = declared.get("value", declared.get("default"))
        if value is not None:
            config[_qualified(name, key)] = _text(value)
    stack_file = _read(root / f"Pulumi.{stack}.yaml")
    for key, value in (stack_file.get("config") or {}).items():
        if isinstance(value, dict) and "secure" in value:
            raise ConfigError(
                f"Pulumi.{stack}.yaml: '{key}' is encrypted; the lab has no passphrase"
            )
        config[_qualified(name, key)] = _text(value)
    return name, config


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigError(f"no such file: {path}")
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a mapping is wanted")
    return content


def _qualified(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
