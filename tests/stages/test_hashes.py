"""What today's bundlers and frameworks call their files: 10,000 random hashes of each form. One
that stays in the name makes an issue of its own at each deploy.
"""

from __future__ import annotations

import random

import pytest

from stages.grouping.files import steady

TRIES = 10_000
HEX = "0123456789abcdef"
BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
CROCKFORD = BASE_36.translate(dict.fromkeys(map(ord, "ilou")))
RFC_4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE_64 = BASE_36 + RFC_4648[:26] + "_-"
BASE_40 = BASE_36 + "_-~."

DEFAULTS = [
    ("Vite", "assets/index-{}.js", BASE_64, 8, "assets/index.js"),
    ("Vite, Rolldown's runtime", "assets/rolldown-runtime-{}.js", BASE_64, 8, None),
    ("Vite, a component", "assets/UserProfile-{}.js", BASE_64, 8, None),
    ("Vite, its legacy plugin", "assets/index-legacy-{}.js", BASE_64, 8, None),
    ("Laravel", "build/assets/app-{}.js", BASE_64, 8, None),
    ("Nuxt", "_nuxt/{}.js", BASE_64, 8, "_nuxt/*.js"),
    ("SvelteKit, an entry", "_app/immutable/entry/start.{}.js", BASE_64, 8, None),
    ("SvelteKit, a chunk", "_app/immutable/chunks/{}.js", BASE_64, 8, None),
    ("SvelteKit, a page", "_app/immutable/nodes/12.{}.js", BASE_64, 8, None),
    ("SvelteKit, a worker", "_app/immutable/workers/sync-{}.js", BASE_64, 8, None),
    ("Astro", "_astro/Cart.{}.js", BASE_64, 8, "_astro/Cart.js"),
    ("Astro, a page", "_astro/hoisted.{}.js", BASE_64, 8, None),
    ("React Router, Remix", "assets/orders._orderId-{}.js", BASE_64, 8, None),
    ("React Router, the client", "assets/entry.client-{}.js", BASE_64, 8, None),
    ("Vike", "assets/entries/pages_index.{}.js", BASE_64, 8, None),
    ("VitePress", "assets/guide_index.md.{}.lean.js", BASE_64, 8, None),
    ("Storybook", "sb-assets/iframe-{}.js", BASE_64, 8, None),
    ("webpack", "static/js/main.{}.js", HEX, 20, None),
    ("webpack, a chunk", "188.{}.js", HEX, 20, "188.js"),
    ("Rspack", "main.{}.js", HEX, 16, None),
    ("Rsbuild", "static/js/async/117.{}.js", HEX, 8, None),
    ("Rsbuild 2", "static/js/lib-react.{}.js", HEX, 10, None),
    ("Parcel", "checkout.{}.js", HEX, 8, "checkout.js"),
    ("Next.js with webpack", "_next/static/chunks/app/checkout/page-{}.js", HEX, 16, None),
    ("Next.js with Turbopack 15", "_next/static/chunks/{}.js", HEX, 16, None),
    ("Next.js with Turbopack 16", "_next/static/chunks/{}.js", BASE_40, 13, None),
    ("Turbopack's runtime", "_next/static/chunks/turbopack-{}.js", BASE_40, 13, None),
    ("Turbopack, a page", "_next/static/chunks/src_app_page_tsx_{}._.js", BASE_40, 13, None),
    ("Angular", "main-{}.js", RFC_4648, 8, "main.js"),
    ("Angular, esbuild: a chunk", "chunk-{}.js", RFC_4648, 8, "chunk.js"),
    ("Expo", "_expo/static/js/web/entry-{}.js", HEX, 32, None),
    ("Rails", "assets/application-{}.js", HEX, 8, None),
]
"""Who writes it, the file, the alphabet and the length of its hash; and its name without, where
that is to be seen.
"""

IN_A_HUNDRED = [
    ("Bun, a chunk", "chunk-{}.js", CROCKFORD, 8, "chunk.js"),
    ("Bun, a page", "index-{}.js", CROCKFORD, 8, "index.js"),
    ("Symfony", "assets/app-{}.js", BASE_64, 7, "assets/app.js"),
    ("Symfony, a folder", "assets/controllers/cart_controller-{}.js", BASE_64, 7, None),
    ("Rolldown alone", "dist/cart-{}.js", BASE_64, 8, "dist/cart.js"),
    ("Vite in a folder of one's own", "js/index-{}.js", BASE_64, 8, "js/index.js"),
    ("Rspack, another digest", "js/cart.{}.js", BASE_64, 16, "js/cart.js"),
]
"""Whose hashes look like words more often, or stand where people write, too."""


def hashed(alphabet: str, length: int, draw: random.Random) -> str:
    if alphabet != BASE_40:
        return "".join(draw.choices(alphabet, k=length))
    number = draw.getrandbits(64)  # so the first character is a low figure
    return "".join(alphabet[number // 40**at % 40] for at in reversed(range(length)))


def left(name: str, file: str, alphabet: str, length: int) -> tuple[float, str]:
    """The share of hashes that stay in the name, and the name without."""
    draw = random.Random(name)
    addresses = [file.replace("{}", hashed(alphabet, length, draw)) for _ in range(TRIES)]
    names = [steady(f"https://shop.example/{address}") for address in addresses]
    usual = max(set(names), key=names.count)
    return 1 - names.count(usual) / TRIES, usual


@pytest.mark.parametrize(
    ("case", "most"),
    [(one, 0.001) for one in DEFAULTS] + [(one, 0.01) for one in IN_A_HUNDRED],
    ids=lambda one: one[0] if type(one) is tuple else "",
)
def test_a_hash_of_a_bundler_does_not_stay_in_the_name_of_a_file(case, most):
    *form, wanted = case
    share, usual = left(*form)
    assert share <= most
    assert usual == wanted or wanted is None


@pytest.mark.parametrize(
    "name",
    [
        "chunks/settings.js",
        "chunks/4-step-wizard.js",
        "chunks/checkout-settings.js",
        "chunk-vendors.js",
        "chunk-elementUI.js",
        "assets/workers/export-pdf.js",
        "_astro/client.js",
        "js/shop-features.js",
        "js/banner-level100.js",
        "js/app-abstract.js",
        "js/admin-workflow.js",
        "js/shop-commonjs.js",
        "assets/signup-devtools.js",
        "js/site-navMenu.js",
        "js/app.lean.js",
    ],
)
def test_what_somebody_chose_stays(name):
    assert steady(f"https://shop.example/{name}") == name
