"""Assets and archives as bytes."""

import io
import os
import zipfile
from pathlib import Path

import pulumi
import pytest

from lab.provider.assets import asset_bytes
from lab.provider.schema import RefusalError


def _names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def test_a_folder_is_zipped_the_same_whenever_and_however_it_was_written(tmp_path: Path) -> None:
    zips = []
    for number, order in enumerate((("a.py", "b/c.py"), ("b/c.py", "a.py"))):
        root = tmp_path / str(number)
        for name in order:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (number * 10**6, number * 10**6))
        zips.append(asset_bytes(pulumi.FileArchive(str(root))))
    assert zips[0] == zips[1]
    assert _names(zips[0]) == ["a.py", "b/c.py"]


def test_an_asset_archive_holds_files_texts_and_folders(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "one.py").write_text("1")
    (tmp_path / "file.txt").write_text("f")
    archive = pulumi.AssetArchive(
        {
            ".": pulumi.FileArchive(str(tmp_path / "lib")),
            "deps": pulumi.FileArchive(str(tmp_path / "lib")),
            "f.txt": pulumi.FileAsset(str(tmp_path / "file.txt")),
            "s.txt": pulumi.StringAsset("s"),
        }
    )
    assert _names(asset_bytes(archive)) == ["deps/one.py", "f.txt", "one.py", "s.txt"]


def test_what_is_not_on_this_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="RemoteArchive is not modelled"):
        asset_bytes(pulumi.RemoteArchive("https://example.com/a.zip"))
    with pytest.raises(RefusalError, match="no such file or directory"):
        asset_bytes(pulumi.FileArchive(str(tmp_path / "nowhere")))
