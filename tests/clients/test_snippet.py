"""Maps that a plug-in uploaded name the frames of the snippet's reports, in a real page."""

from __future__ import annotations

import pytest

from tests.clients.uploading import FEW, build_and_upload
from tests.sourcemaps.explained import named

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("client", FEW)
def test_a_fault_of_a_build_is_of_the_function_that_was_written_though_its_release_is_another(
    client, servers, maps, tmp_path, visit, recorder
):
    """The second file sends the debug id of the script; a plug-in's map has no address of it."""
    script = build_and_upload(client, servers["directly"], tmp_path, f"{client}-snippet")
    maps.look()
    address = recorder.serve("shop.js", script.read_text(), "text/javascript")
    second = f"<script src='{recorder.ingest}/c/key.extras.js' crossorigin></script>"
    visit(
        f"<script src='{address}'></script><script>setTimeout(window.buy)</script>",
        before=second,
        attributes="data-release=another",
    )
    (report,) = recorder.wait_for_reports(1)
    assert list(report["debug_ids"]) == [address]
    frame = named(report, maps)["frames"][0]
    assert (frame["function"], frame["file"].rpartition("/")[2], frame["line"]) == (
        "checkoutOrder",
        "shop.js",
        5,
    )
