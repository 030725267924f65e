"""Make ingest/snippet.min.js of ingest/snippet.js: run from the repository's root with `python -m`."""

from __future__ import annotations

import gzip
import sys

from tests.browser.toolchain import MINIFIED, minify


def main() -> None:
    text = minify()
    MINIFIED.write_text(text)
    size = len(gzip.compress(text.encode(), 9))
    sys.stdout.write(f"{MINIFIED}: {len(text)} characters, {size} bytes with gzip -9\n")


if __name__ == "__main__":
    main()
