"""A page as a browser understands it."""

from __future__ import annotations

from html.parser import HTMLParser

EVIL = """"'><script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>{{7*7}}</title></pre></textarea>"""  # noqa: E501 - one piece of text, as it is sent or run


class Tags(HTMLParser):
    """The elements and attributes that a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.elements if tag == "a"]


def assert_harmless(page: str, *, shown: bool = True) -> None:
    found = Tags(page)
    names = [tag for tag, _ in found.elements]
    scripts = [str(one["src"]) for tag, one in found.elements if tag == "script"]
    assert scripts, "the page has its own"
    assert all(one.startswith("/static/") for one in scripts)
    assert [
        tag for tag in names if tag in ("iframe", "object", "embed", "style", "base", "textarea")
    ] == []
    assert [one["src"] for tag, one in found.elements if tag == "img"] == [
        one["src"]
        for tag, one in found.elements
        if tag == "img" and str(one["src"]).startswith("/static/mark.svg")
    ]
    assert [name for _, one in found.elements for name in one if name.startswith("on")] == []
    assert all(link.startswith(("/", "#")) for link in found.links())
    assert "49" not in found.text or "{{7*7}}" in found.text
    if shown:
        assert "<script>alert(1)</script>" in found.text
