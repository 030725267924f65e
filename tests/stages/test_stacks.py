from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.grouping.stacks import MAX_FRAMES, parse
from tests.stages.grouping_cases import load

CASES = load("stacks_dev.json")["cases"]
ANONYMOUS = {
    "",
    "?",
    "<anonymous>",
    "<unknown>",
    "anonymous",
    "Anonymous function",
    "<anonymous function>",
    None,
}
NATIVE = {"", "native", "native code", "[native code]", "<anonymous>", None}

# Where we do not do what one peer expects: the peers disagree with each other, or the peer is
# wrong.
DISAGREEMENTS = {
    "dev-009": "Sentry cuts a line at 1,024 characters and so loses line and column; we keep both",
    "dev-015": (
        "Sentry splits `MyClass::bar(int) const` at its first parenthesis; we take the "
        "last pair as the place"
    ),
    "dev-025": (
        "Sentry drops the top frame because React set `framesToPop`, which is not part of the stack"
    ),
    "dev-027": "the same stack with framesToPop, with another message",
    "dev-040": (
        "error-stack-parser gives eval code no file; Sentry, TraceKit and Faro call the "
        "file `eval code`"
    ),
    "dev-052": (
        "Sentry calls a nameless frame in evaluated code `eval`; TraceKit, Datadog and "
        "others leave it nameless"
    ),
    "dev-060": (
        "Faro keeps the column inside the evaluated text, next to a line outside it; five "
        "peers do not"
    ),
    "dev-061": "as dev-052",
    "dev-113": "error-stack-parser drops `[native code]` frames; five peers keep them",
    "dev-126": (
        "Application Insights loses the line of Opera 9's `Line 68 of inline#2 script in ...`"
    ),
    "dev-133": "as dev-126, `Line 21 of linked script ...`",
    "dev-136": (
        "Application Insights makes `Global code` nameless; Sentry and error-stack-parser keep it"
    ),
}


def text_of(case):
    """Opera 10 and 11 say more in `stacktrace` than in `stack`: peers who read it expect what
    it says.
    """
    wants_more = case.get("stacktrace") and case["peer"] in ("TraceKit", "sentry")
    return case["stacktrace"] if wants_more else case["stack"]


def differences(case):
    frames = parse(text_of(case), case["message"] or "")
    if case["expected_count"] not in (None, len(frames)):
        yield f"{len(frames)} frames instead of {case['expected_count']}"
    names = case["expected_functions_normalised"] or []
    for at, (wanted, frame) in enumerate(zip(case["expected_frames"] or [], frames, strict=False)):
        if wanted is None:
            continue
        name = names[at] if at < len(names) else None
        if name is not None and name != frame.function and not {name, frame.function} <= ANONYMOUS:
            yield f"frame {at}: function {frame.function!r} instead of {name!r}"
        file = wanted.get("filename", frame.file)
        if file != frame.file and not {file, frame.file} <= NATIVE:
            yield f"frame {at}: file {frame.file!r} instead of {file!r}"
        place = (wanted.get("lineno", frame.line), wanted.get("colno", frame.column))
        if place != (frame.line, frame.column):
            yield f"frame {at}: {frame.line}:{frame.column} instead of {place}"


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case['id']}-{case['peer']}-{case['browser']}" for case in CASES]
)
def test_gives_the_frames_that_the_peers_expect(case):
    found = list(differences(case))
    assert bool(found) == (case["id"] in DISAGREEMENTS), (
        found or f"{case['id']} agrees now: take it off the list"
    )


def test_agrees_with_the_peers_where_they_agree_with_each_other(figures):
    decided = [case for case in CASES if case["id"] not in DISAGREEMENTS]
    right = sum(not list(differences(case)) for case in decided)
    share = 100 * right / len(decided)
    figures(
        f"stacks: {share:.1f} % of {len(decided)} cases ({len(DISAGREEMENTS)} more are "
        f"listed disagreements)"
    )
    assert share >= 99


def test_what_the_message_holds_is_no_frame():
    message = "first line\n    at fake (http://evil.example/x.js:1:1)\nthird"
    frames = parse(f"Error: {message}\n    at real (http://shop.example/a.js:2:3)", message)
    assert [frame.function for frame in frames] == ["real"]


def test_a_message_that_is_also_a_function_stays_a_function():
    frames = parse("pay@http://shop.example/a.js:2:3\nbuy@http://shop.example/a.js:9:1", "pay")
    assert [frame.function for frame in frames] == ["pay", "buy"]


@pytest.mark.parametrize(
    ("line", "function", "file", "at"),
    [
        (
            "blobFn@blob:http://x.example/8a66aa30-ee14:3:5",
            "blobFn",
            "blob:http://x.example/8a66aa30-ee14",
            (3, 5),
        ),
        ("HttpError@http://x.example/a.js:1:2", "HttpError", "http://x.example/a.js", (1, 2)),
        ("@odd name@http://x.example/a.js:1:2", "@odd name", "http://x.example/a.js", (1, 2)),
        ("a-b (c)@http://x.example/a.js:1:2", "a-b (c)", "http://x.example/a.js", (1, 2)),
        ("http://x.example/npm/@scope/a.js:1:2", "", "http://x.example/npm/@scope/a.js", (1, 2)),
        ("f@http://x.example/npm/@scope/a.js:1:2", "f", "http://x.example/npm/@scope/a.js", (1, 2)),
        (
            "    at f (http://x.example/(group)/[id]/a b.js:1:2)",
            "f",
            "http://x.example/(group)/[id]/a b.js",
            (1, 2),
        ),
        (
            "    at odd(name (http://x.example/a.js:1:2)",
            "odd(name",
            "http://x.example/a.js",
            (1, 2),
        ),
        ("    at async f (http://x.example/a.js:1:2)", "async f", "http://x.example/a.js", (1, 2)),
        ("    at f (data:text/javascript,g():1:2)", "f", "data:text/javascript,g()", (1, 2)),
        ("    at f (address at main.jsbundle:1:452701)", "f", "main.jsbundle", (1, 452701)),
    ],
)
def test_reads_odd_lines(line, function, file, at):
    (frame,) = parse(line)
    assert (frame.function, frame.file, (frame.line, frame.column)) == (function, file, at)


@pytest.mark.parametrize(
    "stack", ["", "\n", "Error", "Error: user jane@shop.example not found", "see http://x.example"]
)
def test_text_without_frames_gives_none(stack):
    assert parse(stack) == []


HOSTILE = {
    "open parentheses": "    at f (" * 80_000,
    "closed parentheses": "    at " + ")" * 900_000,
    "eval in eval": "at f (" + "eval at g (" * 90_000,
    "at signs": "@" * 1_000_000,
    "schemes": "@a:" * 330_000,
    "colons": "    at f (x" + ":1" * 490_000 + ")",
    "one long line": "    at f (http://x/" + "a" * 1_000_000 + ":1:1)",
    "many lines": "    at f (http://x/a.js:1:1)\n" * 34_000,
    "many lines of parentheses": ("    at " + "(" * 2000 + ")" * 2000 + "\n") * 250,
    "many lines of at signs": ("@" * 4000 + "\n") * 250,
    "many lines of eval": ("at (" + "eval at (" * 400 + "\n") * 270,
    "opera": "Line 1 of linked script x\n" + "called from line 1, column 1 in ( in " * 27_000,
    "spaces": " " * 1_000_000,
    "arguments": "f" + "(" * 2000 + ")" * 2000 + "@http://x/a.js:1:1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_made_to_be_slow_is_parsed_in_linear_time(name):
    """Twice the text takes about twice the time; a quadratic parser would take minutes for the
    whole.
    """
    text = HOSTILE[name]
    before = time.process_time()
    frames = parse(text, "at")
    assert len(frames) <= MAX_FRAMES
    assert time.process_time() - before < 10


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text(max_size=20))
def test_no_text_makes_it_raise(stack, message):
    parse(stack, message)


PIECES = st.sampled_from(
    [
        "at ",
        "@",
        "(",
        ")",
        "eval at ",
        " > eval",
        " line 3",
        ":1",
        ":",
        "\n",
        "http://x/",
        "[native code]",
        "<anonymous>",
        "Line 1 of linked script ",
        "called from line 1, column 2 in ",
        " in ",
        "async ",
        "extension:(",
        "error: (",
        " @ ",
        "é",
        "\0",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_mixture_of_what_stacks_are_made_of_makes_it_raise(stack):
    for frame in parse(stack, "at "):
        assert frame.line is None or frame.line >= 0
