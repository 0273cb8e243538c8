"""Compiles a folder for the Python that runs this: `python -I bytecode.py FOLDER VERSION`.

A program of its own, as bytecode is only of use to the version that made it; standard library only.
"""

import importlib.util
import marshal
import sys
from pathlib import Path

_UNCHECKED_HASH = 1
"""PEP 552: taken as it is, without a look at the source's time, which a package has none of."""

_WITHOUT_REFERENCES = 2
"""marshal's last version in which the bytes of a value do not depend on who else refers to it."""


def compile_folder(folder: Path) -> None:
    """Writes each module's `__pycache__` entry, the same bytes on every machine."""
    for source in sorted(folder.rglob("*.py")):
        text = source.read_bytes()
        # Python puts the real path in its place on import.
        code = compile(text, source.relative_to(folder).as_posix(), "exec", dont_inherit=True)
        target = Path(importlib.util.cache_from_source(source))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(
            importlib.util.MAGIC_NUMBER
            + _UNCHECKED_HASH.to_bytes(4, "little")
            + importlib.util.source_hash(text)
            + marshal.dumps(code, _WITHOUT_REFERENCES)
        )


if __name__ == "__main__":
    version = ".".join(map(str, sys.version_info[:2]))
    if version != sys.argv[2]:
        sys.exit(f"this is Python {version}")
    compile_folder(Path(sys.argv[1]))
