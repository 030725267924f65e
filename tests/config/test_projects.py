from __future__ import annotations

import re

import pytest

from catchwater.config.projects import MOST_OLD_KEYS, add, drop_key, load, rotate
from catchwater.errors import ConfigError, ProjectChangeError


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


def test_a_rotated_key_stays_valid_until_it_is_dropped(tmp_path):
    path = tmp_path / "projects.yaml"
    first, other = add(path, "shop"), add(path, "blog")
    new = rotate(path, first.id)
    projects = load(path)
    assert new.key not in {first.key, other.key}
    assert projects.by_key(first.key) == projects.by_key(new.key) == projects.by_id("1") == new
    assert projects.by_id("2") == other
    drop_key(path, first.id, first.key)
    assert load(path).by_key(first.key) is None
    assert load(path).by_key(new.key).old_keys == []


def test_an_old_key_may_not_be_another_project_s(tmp_path):
    path = tmp_path / "projects.yaml"
    one = add(path, "a")
    path.write_text(
        path.read_text() + f'- {{id: "7", name: b, key: {"7a" * 16}, old_keys: [{one.key}]}}\n'
    )
    with pytest.raises(ConfigError, match="is taken by project number 1"):
        load(path)


def test_a_key_that_cannot_be_rotated_or_dropped_is_told_with_what_there_is(tmp_path):
    path = tmp_path / "projects.yaml"
    one = add(path, "a")
    with pytest.raises(ProjectChangeError, match=r"'9' is no project of .*; there: 1"):
        rotate(path, "9")
    with pytest.raises(ProjectChangeError, match=r"is no old key of project 1 in .*; there: none"):
        drop_key(path, "1", one.key)
    for _ in range(MOST_OLD_KEYS):
        rotate(path, "1")
    with pytest.raises(ProjectChangeError, match=f"project drop-key 1 {one.key}"):
        rotate(path, "1")
