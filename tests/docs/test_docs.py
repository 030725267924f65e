"""The docs are tested: generated pages are fresh, links and paths exist, examples run."""

from __future__ import annotations

import importlib.util
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from catchwater import metrics
from catchwater.commands.cli import commands
from catchwater.config.filters import Filters
from catchwater.config.projects import Project
from catchwater.config.projects import load as load_projects
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event
from tests import pictures
from tests.house.test_borders import ROOMS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GENERATED = ("streamdefs.md", "metrics.md", "commands.md")
WRITTEN = [page for page in PAGES if page.name not in GENERATED]

FOLDERS = ("catchwater", "ingest", "stages", "sink", "dashboard", "ops", "benchmarks", "docs")
"""Where a path that a page names begins; `tests` too."""

NOT_IN_GIT = {
    *("stages/crawlers.py", "stages/office.py"),
    *("stages/grouping/v2.py", "ops/projects.yaml", "ops/.env", "ops/access/users.acl"),
    *("docs/naming.md", "docs/noise.md"),
    *("ops/k8s/base/streamdefs.yaml", "ops/k8s/base/projects.yaml"),
    "catchwater/0.1.0",
}
"""Files that a page tells its reader to write, names of before, and the version of the snippet."""


def generator():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """The pages made anew, in a process of its own: click remembers how a command was called."""
    folder = tmp_path_factory.mktemp("generated")
    subprocess.run([sys.executable, ROOT / "docs/generate.py", folder], check=True, cwd=ROOT)
    return folder


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_is_not_stale(page, generated):
    made = (generated / page).read_text()
    assert (ROOT / "docs" / page).read_text() == made, "run: python docs/generate.py"


def sections(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A model of the configuration, and every model below it."""
    fields = [field.annotation for field in model.model_fields.values()]
    parts = [part for one in fields for part in (one, *get_args(one))]
    inner = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    return {model}.union(*map(sections, inner))


SECTIONS = sorted(sections(StreamDefs) | sections(Project), key=lambda model: model.__name__)


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_every_section_of_the_configuration_has_a_table(model):
    """The section `private` once had none."""
    tables = generator().streamdefs_page().split("\n### ")
    rows = [re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) for table in tables]
    assert list(model.model_fields) in rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_or_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


def anchors(file):
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_path_that_a_page_names_is_in_the_repository(page):
    """Pages once named modules that had moved, and notes that are not published."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    known = {str(parent) for file in tracked for parent in (Path(file), *Path(file).parents)}
    named = re.findall(rf"(?<![\w/.-])((?:{'|'.join(FOLDERS)}|tests)/[\w./-]*\w)", page.read_text())
    assert set(named) - known - NOT_IN_GIT == set()


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_prose_is_wrapped_at_100_columns(page):
    """Tables, code and addresses are as long as they are."""
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    long = [line for line in prose.splitlines() if len(line) > 100]
    assert [line for line in long if not line.startswith("|") and " " in line[:100]] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_a_block_of_code_begins_and_ends_on_lines_of_its_own(page):
    """Commands that were wrapped with the prose once stood in one paragraph."""
    fences = [line for line in page.read_text().splitlines() if line.lstrip().count("```")]
    wrong = [line for line in fences if not re.fullmatch(r"\s*```\w*", line)]
    assert (wrong, len(fences) % 2) == ([], 0)


def test_the_picture_of_the_rooms_shows_what_each_may_import():
    page = (ROOT / "docs/architecture.md").read_text()
    arrows = re.findall(r"^    (\w+)\[.*\] --> ([\w &]+)$", page, re.MULTILINE)
    shown = {room: set(targets.split(" & ")) - {"root"} for room, targets in arrows}
    assert {room: shown[room] for room in ROOMS} == {
        room: allowed - {"root"} for room, allowed in ROOMS.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_the_docs_name_exists(page):
    named = set(re.findall(r"(?:^|[`\s])catchwater ([a-z]+)\b", page.read_text(), re.MULTILINE))
    words = named - set(commands())
    assert words <= {"import"}, f"{page.name} names {words}"


def test_every_command_is_documented():
    page = (ROOT / "docs/commands.md").read_text()
    assert [
        name for name in commands() if name != "demo" and f"## catchwater {name}" not in page
    ] == []


def test_every_metric_is_documented():
    page = (ROOT / "docs/metrics.md").read_text()
    source = Path(metrics.__file__).read_text()
    assert [
        name for name in set(re.findall(r'"(catchwater_\w+)"', source)) if name not in page
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run_and_what_they_claim_holds(page):
    space: dict[str, object] = {}
    for example in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(example, page.name, "exec"), space)


def test_the_example_of_a_stage_drops_and_passes_on(event_of):
    space: dict[str, object] = {}
    example = re.findall(r"```python\n(.*?)```", (ROOT / "docs/stages.md").read_text(), re.DOTALL)[
        0
    ]
    exec(compile(example, "stages.md", "exec"), space)
    stage = space["crawlers"]
    assert type(stage(event_of("Googlebot 2"))).__name__ == "Drop"
    assert type(stage(event_of("Chrome 156"))).__name__ == "Emit"


@pytest.fixture
def event_of():
    return lambda browser: Event("0" * 32, "1", 0, "named", b"{}", {"tags": {"browser": browser}})


def test_the_example_s_lines_of_yaml_make_a_pipeline(tmp_path):
    """As the page says: the new stage is put before dedupe, which then reads what it emits."""
    lines = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/stages.md").read_text(), re.DOTALL)[0]
    shipped, added = yaml.safe_load((ROOT / "streamdefs.yaml").read_text()), yaml.safe_load(lines)
    shipped["streams"] |= added["streams"]
    shipped["stages"] |= added["stages"]
    shipped["stages"]["dedupe"]["reads"] = "human"
    (path := tmp_path / "streamdefs.yaml").write_text(yaml.safe_dump(shipped))
    expected = [stage for stage in load().counting_path if stage != "crawlers"]
    expected.insert(expected.index("dedupe"), "crawlers")
    assert load(path).counting_path == expected


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_make_targets_that_a_page_names_exist(page):
    targets = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make (\w+)", (ROOT / page).read_text(), re.MULTILINE))
    assert named <= targets


EXAMPLES = [
    (page.name, text)
    for page in PAGES
    for text in re.findall(r"```yaml\n(projects:\n.*?)```", page.read_text(), re.DOTALL)
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=[page for page, _ in EXAMPLES])
def test_an_example_of_projects_yaml_is_right(page, text, tmp_path):
    (path := tmp_path / "projects.yaml").write_text(text)
    assert load_projects(path).all


def test_every_setting_of_a_filter_is_explained():
    page = (ROOT / "docs/filters.md").read_text()
    assert [name for name in Filters.model_fields if f"`{name}`" not in page] == []


PICTURES = {
    (page.name, str((page.parent / name).relative_to(ROOT)))
    for page in PAGES
    for name in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", page.read_text())
}
"""Each by the page that shows it. All have words for those who cannot see them."""


def test_the_command_makes_every_picture_that_a_page_shows_and_no_other():
    shown = {name for _, name in PICTURES}
    assert shown == {f"docs/pictures/{name}" for name in pictures.FILES}
    assert {str(one.relative_to(ROOT)) for one in pictures.FOLDER.iterdir()} == shown
    assert len({name for page, name in PICTURES if page == "README.md"}) == 2


@pytest.mark.parametrize("name", sorted(pictures.FILES))
def test_a_picture_is_a_small_png_of_the_size_that_the_command_makes(name):
    data = (pictures.FOLDER / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (pictures.WIDTH, pictures.FILES[name])
    assert len(data) <= pictures.LARGEST
