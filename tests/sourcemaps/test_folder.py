"""Which files of a build are uploaded: those inside of the folder, wherever links lead."""

from __future__ import annotations

import pytest

from catchwater.sourcemaps.upload.folder import artifacts, named_map
from tests.sourcemaps.explained import simple
from tests.sourcemaps.indexed import READER


@pytest.fixture
def build(tmp_path):
    (tmp_path / "secret.map").write_bytes(simple())
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "shop.js").write_text("pay()\n//# sourceMappingURL=shop.js.map\n")
    (folder / "shop.js.map").write_bytes(simple())
    return folder


def test_a_script_and_its_map_are_found(build):
    assert [(one.file, one.found.raw != b"") for one in artifacts(build, READER)] == [
        ("shop.js.map", True)
    ]


URL = "//# sourceMappingURL="


@pytest.mark.parametrize(
    ("script", "url"),
    [
        (f"a()\n{URL}a.js.map", "a.js.map"),
        (f"a();{URL}a.js.map\n\n", "a.js.map"),
        (f"a()\n{URL}a.js.map\n//# debugId=1\n/* the\nend **/ \n", "a.js.map"),
        (f"a()\n{URL}old.map\nb()\n{URL}new.map\n", "new.map"),
        (f"var o=`\n{URL}data:application/json;base64,`+btoa(m)", ""),
        (f"var o='{URL}'+name;a()\n", ""),
        (f"{URL}a.js.map\na()\n", ""),
        (f"{URL}a.js.map\n/* never closed", ""),
        ("a()", ""),
        (f"{URL}a.js.map" + " \n" * 200_000 + "/* *" * 200_000 + "a()", ""),
    ],
)
def test_a_script_names_its_map_by_the_comment_at_its_end(script, url):
    """A text in the code was taken for the comment, and the upload failed."""
    assert named_map(script.encode()) == url


def test_a_text_in_the_code_hides_no_map_beside_the_script(build):
    (build / "shop.js").write_text(f"var o=`\n{URL}data:application/json;base64,`+btoa(m);o()\n")
    assert [(one.path, one.broken) for one in artifacts(build, READER)] == [("shop.js", False)]


@pytest.mark.parametrize(
    "url", ["x" * 5000, "/maps/" + "x" * 5000, "https://a.example/" + "x" * 5000]
)
def test_an_address_that_is_too_long_for_a_file_ends_no_upload(build, url):
    """The system's own error ended the command."""
    (build / "long.js").write_text(f"a()\n{URL}{url}\n")
    found = {one.file: one.why for one in artifacts(build, READER)}
    assert "is not there" in found["long.js"]
    assert found["shop.js.map"] == ""


@pytest.mark.parametrize("url", ["/../../secret.map", "/x/../../secret.map", "//../secret.map"])
def test_no_address_leads_out_of_the_folder(build, url):
    (build / "shop.js").write_text(f"a()\n{URL}{url}\n")
    assert [one.file for one in artifacts(build, READER) if one.found.raw] == ["shop.js.map"]


@pytest.mark.parametrize("name", ["x.js.map", "hidden.map"])
def test_a_link_to_a_file_outside_is_not_followed(build, name):
    (build / name).symlink_to(build.parent / "secret.map")
    assert [one.file for one in artifacts(build, READER)] == ["shop.js.map"]


def test_a_link_to_a_folder_outside_is_not_followed(build):
    (build / "more").symlink_to(build.parent, target_is_directory=True)
    assert [one.file for one in artifacts(build, READER)] == ["shop.js.map"]


def test_a_link_inside_of_the_folder_is_followed(build):
    (build / "copy.js").symlink_to(build / "shop.js")
    assert {one.file for one in artifacts(build, READER)} == {"shop.js.map"}
