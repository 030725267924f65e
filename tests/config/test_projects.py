from __future__ import annotations

import re

import pytest

from catchwater.config.projects import add, load
from catchwater.errors import ConfigError


def test_a_project_that_was_added_is_found_by_key_and_by_id(tmp_path):
    path = tmp_path / "projects.yaml"
    first, second = add(path, "shop"), add(path, "blog & more: ü")
    projects = load(path)
    assert (first.id, second.id) == ("1", "2")
    assert projects.by_key(first.key) == projects.by_id("1") == first
    assert projects.by_id("2").name == "blog & more: ü"
    assert projects.by_key("0" * 32) is None


def test_every_mistake_is_told_at_once(tmp_path):
    path = tmp_path / "projects.yaml"
    path.write_text(
        'projects:\n  - {id: "1", name: a, key: xyz}\n  - {id: x, name: b, key: x, orgins: '
        "[]}\nmore: 1\n"
    )
    with pytest.raises(ConfigError) as error:
        load(path)
    text = str(error.value)
    assert all(
        part in text
        for part in (
            "line 2: projects.0.key",
            "line 3: projects.1.id",
            "did you mean 'origins'?",
            "line 4: more",
        )
    )


def test_two_projects_may_not_share_a_key(tmp_path):
    path = tmp_path / "projects.yaml"
    one = add(path, "a")
    path.write_text(path.read_text() + f'- {{id: "7", name: b, key: {one.key}}}\n')
    with pytest.raises(ConfigError, match="is taken by project number 1"):
        load(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no such file: `catchwater project add NAME` makes it, --projects names "),
        (b"projects: [\xff]", "is not UTF-8: its byte 11 is 0xff"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_our_own_words(tmp_path, content, why):
    path = tmp_path / "projects.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(why)) as told:
        load(path)
    assert "Errno" not in str(told.value)
    assert "codec" not in str(told.value)


def test_a_folder_instead_of_a_file_is_told_in_our_own_words(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
