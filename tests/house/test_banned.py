"""Words of other systems' commands that break a guarantee, wherever they would be written."""

from __future__ import annotations

import io
import re
import tokenize

import pytest

from tests.house.sources import PACKAGES, ROOT, files

LUA = sorted(path.relative_to(ROOT) for path in (ROOT / "catchwater").rglob("*.lua"))
BANNED = {
    r"\$inc\b": "a retried $inc counts twice: write absolute counters with $max",
    r"\bMAXLEN\b": "MAXLEN trims what nobody has worked on yet: bound the stream at the door",
    r"\b(FLUSHALL|FLUSHDB)\b": "the Redis may hold what is not ours",
    r"\bNOACK\b": "entries read with NOACK are lost with their reader",
}


@pytest.mark.parametrize("pattern", BANNED)
def test_no_command_that_breaks_a_guarantee(pattern: str) -> None:
    found = [str(path) for path in files(*PACKAGES) if re.search(pattern, strings(path))]
    found += [str(path) for path in LUA if re.search(pattern, without_comments(path))]
    assert found == [], BANNED[pattern]


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_for_later(word: str) -> None:
    mark = re.compile(rf"(#|--|//|/\*).*\b{word}\b")
    sources = [*files(*PACKAGES, "tests", "benchmarks"), *LUA]
    assert [
        str(path) for path in sources if path.name != "test_banned.py" and mark.search(text(path))
    ] == []


def test_each_ignored_lint_rule_has_its_reason() -> None:
    bare = re.compile(
        r"#\s*(noqa(?!: [A-Z0-9, ]+ - \w)|type: ignore(?!\[[\w, -]+\]\s+(# |- )\w)).*"
    )
    sources = files(*PACKAGES, "tests", "benchmarks")
    found = [
        f"{path}: {match.group()}" for path in sources for match in bare.finditer(comments(path))
    ]
    assert found == [], "write `# noqa: RULE - why`, or `# type: ignore[rule]  # why`"


def text(path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def without_comments(path) -> str:
    return re.sub(r"--.*", "", text(path))


def comments(path) -> str:
    return "\n".join(token.string for token in tokens(path) if token.type == tokenize.COMMENT)


def strings(path) -> str:
    """The string literals on lines that do something: a docstring may name what is banned."""
    lines = [token for token in tokens(path) if token.type == tokenize.STRING]
    return "\n".join(
        token.string for token in lines if not token.string.startswith(('"""', 'r"""'))
    )


def tokens(path) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text(path)).readline))
