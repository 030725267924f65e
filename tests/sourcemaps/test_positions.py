"""From a position of a script to the place in its source, and to the function around it."""

from __future__ import annotations

import pytest

from catchwater.sourcemaps.lookup import path_of
from catchwater.sourcemaps.place import NO_MAPPING, WIDTH
from catchwater.sourcemaps.scopes import read_functions
from tests.sourcemaps.explained import simple
from tests.sourcemaps.indexed import map_of, place

SOURCE = """\
export default function App(this: any, x: number): void { A(); }
export const Cart: React.FC<Props<number>> = ({ a }) => { B(); return <div onClick={() => C()}>{a}</div>; };
class Shop<T> extends Base<T> { constructor(readonly q: string) { super(); D(); } async run<K>(k: K) { E(); }
  field = (e: Event) => { F(); }; static sum() { G() } #own() { H() } get size(): number { return I(); } }
const o = { method() { J() }, arrow: () => K(), ["a" + 1]() { L() }, 'quoted': function () { M() } };
module.exports.pay = () => { N() }; setTimeout(function named() { O() }); [1].map((x) => P()); (() => { Q() })();
R();
"""  # noqa: E501 - one piece of text, as it is sent or run
FUNCTIONS = {
    "A": "App",
    "B": "Cart",
    "C": "",
    "D": "new Shop",
    "E": "Shop.run",
    "F": "Shop.field",
    "G": "Shop.sum",
    "H": "Shop.#own",
    "I": "Shop.size",
    "J": "method",
    "K": "arrow",
    "L": "",
    "M": "quoted",
    "N": "pay",
    "O": "named",
    "P": "",
    "Q": "",
    "R": "",
}


@pytest.mark.parametrize("call", FUNCTIONS)
def test_the_function_around_a_call_is_read_off_typescript_and_jsx(call):
    row = next(n for n, line in enumerate(SOURCE.splitlines()) if f"{call}()" in line)
    column = SOURCE.splitlines()[row].index(f"{call}()")
    assert read_functions(SOURCE.encode(), "a.tsx").at(row, column) == FUNCTIONS[call]


def test_a_cast_in_angle_brackets_is_no_element_in_a_ts_file():
    source = b"const y = <string>z; function old(a: any) { HERE() }"
    assert read_functions(source, "a.ts").at(0, source.index(b"HERE")) == "old"


def test_columns_count_in_utf_16_as_browsers_do():
    """`AACkBA` is column 18 of line 2: the emoji before it counts as two."""
    text = "\nconst x = '\U0001f4a5\U0001f4a5'; function f() { g() }"
    column = len(text.split("\n")[1].partition("g()")[0].encode("utf-16-le")) // 2
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    value = 2 * column
    raw = simple(
        mappings=f"AAC{digits[value & 31 | 32]}{digits[value >> 5]}",
        names=[],
        sourcesContent=[text],
    )
    found = place(map_of(raw), 1, 1)
    assert (found.function, found.column) == ("f", column + 1)


def test_webkit_s_position_at_the_brace_before_a_call_is_the_call_s():
    """Two mappings side by side: the brace of line 1, and one column on the call of line 2."""
    one = map_of(simple(mappings="AAAA,CACAA", sourcesContent=["}\ncall()"]))
    assert place(one, 1, 1).line == 2


def test_a_position_of_a_line_without_mappings_is_not_that_of_the_line_before():
    assert place(map_of(simple(mappings="AAAA;")), 2, 1) == NO_MAPPING


def test_of_a_long_line_the_part_around_the_column_is_kept():
    one = map_of(simple(mappings="AACAA", sourcesContent=["\n" + "y" * 5000]))
    assert len(place(one, 1, 1).line_text) == WIDTH + 1


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://cdn7.example/static/app.js?v=3#x", "~/static/app.js"),
        ("http://localhost:8080/app.js", "~/app.js"),
        ("/static/app.js", "~/static/app.js"),
        ("app:///index.bundle", "~/index.bundle"),
        ("https://a.example/_next/%5Bid%5D.js", "~/_next/[id].js"),
        ("https://a.example", "~/"),
    ],
)
def test_a_script_is_known_by_its_path_on_any_host(address, path):
    assert path_of(address) == path
