"""The docs are tested: pages made from the code are not stale, links lead somewhere, examples run, names are known."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from catchwater import metrics
from catchwater.cli import COMMANDS
from catchwater.event import Event
from catchwater.filters import Filters
from catchwater.projects import load as load_projects
from catchwater.streamdefs import load

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def generator():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["streamdefs.md", "metrics.md", "commands.md"])
def test_a_page_that_is_made_from_the_code_is_not_stale(page):
    assert (ROOT / "docs" / page).read_text() == generator().pages()[page], "run: python docs/generate.py"


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
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_the_docs_name_exists(page):
    named = set(re.findall(r"(?:^|[`\s])catchwater ([a-z]+)\b", page.read_text(), re.MULTILINE))
    words = named - set(COMMANDS)
    assert words <= {"is", "runs", "on", "and", "in", "demo", "page"}, f"{page.name} names {words}"


def test_every_command_is_documented():
    page = (ROOT / "docs/commands.md").read_text()
    assert [name for name in COMMANDS if name != "demo" and f"## catchwater {name}" not in page] == []


def test_every_metric_is_documented():
    page = (ROOT / "docs/metrics.md").read_text()
    source = Path(metrics.__file__).read_text()
    assert [name for name in set(re.findall(r'"(catchwater_\w+)"', source)) if name not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run_and_what_they_claim_holds(page):
    space: dict[str, object] = {}
    for example in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(example, page.name, "exec"), space)


def test_the_example_of_a_stage_drops_and_passes_on(event_of):
    space: dict[str, object] = {}
    example = re.findall(r"```python\n(.*?)```", (ROOT / "docs/stages.md").read_text(), re.DOTALL)[0]
    exec(compile(example, "stages.md", "exec"), space)
    stage = space["crawlers"]
    assert type(stage(event_of("Googlebot 2"))).__name__ == "Drop"
    assert type(stage(event_of("Chrome 156"))).__name__ == "Emit"


@pytest.fixture
def event_of():
    return lambda browser: Event("0" * 32, "1", 0, "named", b"{}", {"tags": {"browser": browser}})


def test_the_example_s_lines_of_yaml_make_a_pipeline(tmp_path):
    """As the page says: put between fingerprint and dedupe, which then reads what the new stage emits."""
    lines = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/stages.md").read_text(), re.DOTALL)[0]
    shipped, added = yaml.safe_load((ROOT / "streamdefs.yaml").read_text()), yaml.safe_load(lines)
    shipped["streams"] |= added["streams"]
    shipped["stages"] |= added["stages"]
    shipped["stages"]["dedupe"]["reads"] = "human"
    (path := tmp_path / "streamdefs.yaml").write_text(yaml.safe_dump(shipped))
    assert load(path).counting_path == ["fingerprint", "crawlers", "dedupe", "count"]


def test_the_readme_names_what_make_can_do():
    targets = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets


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
    told = (ROOT / "docs/noise.md").read_text()
    assert [name for name in Filters.model_fields if f"`{name}`" not in told] == []
