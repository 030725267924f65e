"""The pictures of README and docs, made anew by `make pictures`: a whole Catchwater in a folder of
its own, a shop's errors, their made-up past, and Chromium.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import orjson
from playwright.sync_api import sync_playwright

from catchwater.config.streamdefs import Retention
from catchwater.event import Event
from catchwater.issues.release_store import ReleaseStore
from catchwater.streams.hyperloglog import register
from sink.work import store_in
from sink.writer import MongoWriter
from tests.chromium import FLAGS, program
from tests.up_process import UpProcess
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/pictures"
FILES = {"issues.png": 820, "issue.png": 1000, "pipeline.png": 900}
"""Each picture, and how high it is."""

WIDTH = 1280
LARGEST = 150_000
"""Bytes of a picture: whoever clones this has all that there ever were."""

SITE = "https://shop.example"
RELEASE = "shop@2.8.0"
DAYS = 90
AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/156.0.0.0 Safari/537.36": 12,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1": 5,
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0": 3,
}
TAGS = {
    "browser": {"Chrome 156": 50, "Safari 19": 22, "Firefox 153": 12, "Edge 156": 9},
    "os": {"Windows": 44, "iOS 19.1": 27, "Android 17": 20, "macOS 16": 9},
    "release": {RELEASE: 60, "shop@2.7.3": 40},
}


@dataclass(frozen=True)
class Mistake:
    """What the shop does wrong: `a_day` events a day, for so many days, growing or from a deploy.

    `frames` are functions with files, innermost first.
    """

    type: str
    message: str
    frames: tuple[str, ...]
    a_day: int
    days: int = DAYS
    growth: float = 0.0
    level: str = "error"

    def report(self, chance: random.Random) -> dict[str, Any]:
        lines = [f"    at {name} ({SITE}/{file})" for name, file in map(_parted, self.frames)]
        return {
            "type": self.type,
            "message": self.message,
            "stack": "\n".join([f"{self.type}: {self.message}", *lines]),
            "level": self.level,
            "mechanism": "onerror",
            "page": f"{SITE}/{chance.choice(['basket', 'checkout', 'tea/green', ''])}",
            "release": RELEASE,
            "environment": "production",
            "user": {"id": f"u{chance.randint(1, 300)}"},
        }

    def past(self, now: datetime, chance: random.Random) -> dict[datetime, int]:
        """Its events by the hour: people sleep at night, and buy less on Sundays."""
        found = {}
        for ago in range(1, self.days * 24):
            hour = now - timedelta(hours=ago)
            rhythm = 1 - 0.8 * math.cos(2 * math.pi * (hour.hour - 3) / 24)
            week = 0.6 if hour.weekday() == 6 else 1.0
            mean = self.a_day / 24 * rhythm * week * (1 + self.growth) ** (-ago / 24)
            if n := round(chance.gauss(mean, math.sqrt(mean))):
                found[hour] = max(n, 0)
        return found


def _parted(frame: str) -> tuple[str, str]:
    name, _, file = frame.partition(" ")
    return name, file


MISTAKES = (
    Mistake(
        "TypeError",
        "Cannot read properties of undefined (reading 'total')",
        ("computeTotal checkout.js:418:22", "Basket.refresh checkout.js:377:9", "run main.js:12:3"),
        140,
        growth=0.02,
    ),
    Mistake(
        "ChunkLoadError",
        "Loading chunk 417 failed.",
        ("loadChunk runtime.js:88:17", "openProduct router.js:51:4"),
        60,
        days=21,
    ),
    Mistake(
        "NetworkError",
        "Failed to fetch",
        ("request client.js:31:11", "loadBasket basket.js:9:20"),
        300,
    ),
    Mistake(
        "RangeError",
        "only 2 left of article 1204",
        ("reserve stock.js:64:13", "order checkout.js:201:5"),
        25,
        growth=-0.03,
        level="warning",
    ),
    Mistake(
        "InvalidStateError",
        "The database connection is closing.",
        ("open database.js:17:8", "saveDraft drafts.js:40:2"),
        80,
        days=5,
        level="fatal",
    ),
    Mistake(
        "SyntaxError",
        "Unexpected token '<', \"<html>502 \"... is not valid JSON",
        ("readAnswer payment.js:7:17", "pay payment.js:22:3"),
        18,
        growth=0.05,
    ),
    Mistake(
        "ReferenceError",
        "wishlist is not defined",
        ("renderHeader header.js:115:30", "mount main.js:30:1"),
        210,
        days=12,
    ),
    Mistake(
        "AbortError",
        "The play() request was interrupted by a call to pause().",
        ("play video.js:70:5",),
        45,
        level="info",
    ),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, UpProcess(Path(folder)) as up:
        _rename_project(up)
        issues = _caught(up)
        _give_past(up, issues)
        _photograph(up, issues[MISTAKES[0].message])
    for name in FILES:
        size = (FOLDER / name).stat().st_size
        sys.stdout.write(f"docs/pictures/{name}: {size:,} bytes\n")
        assert size <= LARGEST, f"{name} is larger than {LARGEST:,} bytes: make it less high"


def _rename_project(up: UpProcess) -> None:
    path = up.data / "projects.yaml"
    path.write_text(path.read_text().replace("my site", "Tea shop"))


def _post(up: UpProcess, reports: list[dict[str, Any]], agent: str) -> None:
    request = Request(up.report_url, json.dumps(reports).encode(), {"User-Agent": agent})
    with urlopen(request, timeout=30) as answer:
        assert answer.status == 204


def _caught(up: UpProcess) -> dict[str, str]:
    """Some events of each mistake, by the public way. Returns the issues' ids by message."""
    chance, sent = random.Random(1), 0
    for agent, times in AGENTS.items():
        reports = [one.report(chance) for one in MISTAKES for _ in range(times)]
        chance.shuffle(reports)
        _post(up, reports, agent)
        sent += len(reports)
    wait_until(lambda: up.counted() == sent, "all are shown", 60)
    return {one["message"]: one["id"] for one in up.api("/api/issues")["issues"]}


def _give_past(up: UpProcess, issues: dict[str, str]) -> None:
    """As if each mistake had been there for long, written by the sink's own code."""
    url, now = up.ports["mongo_url"], datetime.now(UTC)
    writer = MongoWriter(url, Retention())
    for number, mistake in enumerate(MISTAKES):
        past = mistake.past(now, random.Random(number))
        store_in(writer, [_tally(issues[mistake.message], past)])
    writer.close()
    store = ReleaseStore(url)
    for days, release in ((12, RELEASE), (40, "shop@2.7.3")):
        store.mark("1", release, "production", now - timedelta(days=days))
    store.close()


def _tally(issue: str, past: dict[datetime, int]) -> Event:
    """What commits would have told of these hours, of a Redis that is gone."""
    months: dict[str, int] = {}
    for hour, n in past.items():
        months[f"{hour:%Y%m}"] = months.get(f"{hour:%Y%m}", 0) + n
    buckets = {f"{hour:%Y%m%d%H}": {f"events\t{issue}": n} for hour, n in past.items()}
    buckets |= {month: _of_month(issue, n) for month, n in months.items()}
    people = map(register, (f"p{n}" for n in range(sum(months.values()) // 3)))
    users = {str(place): rank for place, rank in people}
    seen = {"first": _ms(min(past)), "last": _ms(max(past)), "about": "{}", "users": users}
    named = [{"name": name, "generation": "1", "values": one} for name, one in buckets.items()]
    body = {"tag": "p0", "life": "before", "issues": {issue: seen}, "buckets": named}
    return Event("-", "", 0, "tally", orjson.dumps(body))


def _of_month(issue: str, n: int) -> dict[str, int]:
    shares = {
        f"tag\t{issue}\t{name}\t{value}": n * share // 100
        for name, values in TAGS.items()
        for value, share in values.items()
    }
    return {f"events\t{issue}": n, **shares}


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _photograph(up: UpProcess, issue: str) -> None:
    address = f"http://127.0.0.1:{up.ports['dashboard']}"
    pages = {
        "issues.png": "/?span=14d&sort=count",
        "issue.png": f"/issues/{issue}?span=90d",
        "pipeline.png": "/pipeline",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=FLAGS)
        for name, path in pages.items():
            _picture(browser, address + path, name)
        browser.close()


def _picture(browser: Browser, url: str, name: str) -> None:
    page = browser.new_page(
        viewport={"width": WIDTH, "height": FILES[name]},
        color_scheme="light",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    page.goto(url, wait_until="load")
    page.screenshot(path=FOLDER / name)


if __name__ == "__main__":
    main()
