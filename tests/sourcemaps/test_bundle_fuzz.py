"""Whatever bytes are called a bundle, reading them ends in pieces or in a refusal with a reason."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from catchwater.errors import UploadError
from catchwater.sourcemaps.upload.bundle import artifacts
from tests.sourcemaps.explained import simple
from tests.sourcemaps.indexed import READER
from tests.sourcemaps.sentry import manifest, zipped

SCRIPT = {
    "type": "minified_source",
    "url": "~/a.js",
    "headers": {"sourcemap": "a.js.map", "debug-id": "0" * 32},
}
BUNDLE = zipped(
    {
        "manifest.json": manifest(s=SCRIPT, m={"type": "source_map", "url": "~/a.js.map"}),
        "m": simple(),
    }
)


TEXT = st.text("~/a.\0é", max_size=9)


def words(values):
    return st.dictionaries(
        st.sampled_from(["type", "url", "headers", "sourcemap", "debug-id"]) | TEXT, values
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner) | words(inner),
)
FILE = words(
    st.sampled_from(
        ["source_map", "minified_source", "~/a.js", "~/../b.js.map", "data:,{}", "http://["]
    )
    | JSON
)


def read(raw: bytes) -> None:
    try:
        for artifact in artifacts(io.BytesIO(raw), READER):
            assert artifact.why or artifact.found.mappings
    except UploadError as error:
        refusal = error
    else:
        return
    assert 400 <= refusal.status < 500
    assert str(refusal)


@given(
    st.lists(
        st.tuples(st.integers(0, len(BUNDLE) - 1), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_a_bundle_with_bytes_that_were_changed(changes):
    raw = bytearray(BUNDLE)
    for at, value in changes:
        raw[at] = value
    read(bytes(raw))


@given(st.integers(0, len(BUNDLE)), st.integers(0, len(BUNDLE)), st.binary(max_size=80))
def test_a_bundle_with_a_part_put_in_the_place_of_another(start, end, put):
    read(BUNDLE[:start] + put + BUNDLE[end:])


@given(st.dictionaries(st.sampled_from(["s", "m", "manifest.json", "x"]), FILE | JSON))
def test_any_manifest(files):
    read(
        zipped(
            {
                "manifest.json": manifest(**files),
                "m": simple(),
                "s": b"//# sourceMappingURL=data:,x",
            }
        )
    )
