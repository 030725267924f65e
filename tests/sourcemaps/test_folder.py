"""Which files of a build are uploaded: those inside of the folder, wherever links lead."""

from __future__ import annotations

import pytest

from catchwater.sourcemaps.upload.folder import artifacts
from tests.sourcemaps.explained import simple


@pytest.fixture
def build(tmp_path):
    (tmp_path / "secret.map").write_bytes(simple())
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "shop.js").write_text("pay()\n//# sourceMappingURL=shop.js.map\n")
    (folder / "shop.js.map").write_bytes(simple())
    return folder


def test_a_script_and_its_map_are_found(build):
    assert [(one.file, one.raw != b"") for one in artifacts(build)] == [("shop.js.map", True)]


@pytest.mark.parametrize("name", ["x.js.map", "hidden.map"])
def test_a_link_to_a_file_outside_is_not_followed(build, name):
    (build / name).symlink_to(build.parent / "secret.map")
    assert [one.file for one in artifacts(build)] == ["shop.js.map"]


def test_a_link_to_a_folder_outside_is_not_followed(build):
    (build / "more").symlink_to(build.parent, target_is_directory=True)
    assert [one.file for one in artifacts(build)] == ["shop.js.map"]


def test_a_link_inside_of_the_folder_is_followed(build):
    (build / "copy.js").symlink_to(build / "shop.js")
    assert {one.file for one in artifacts(build)} == {"shop.js.map"}
