"""Imports point one way: from services to `catchwater`, inside it from later rooms to earlier
ones.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, SERVICES, files, imported, tops, tree

ROOMS = {
    "config": {"root"},
    "streams": {"root", "config"},
    "monitoring": {"root", "config", "streams"},
    "issues": {"root", "config", "streams"},
    "sourcemaps": {"root", "config"},
    "local": {"root", "config"},
    "commands": {"root", "config", "streams", "monitoring", "issues", "sourcemaps", "local"},
}
"""Each room of `catchwater/`, and the rooms it may import from. `root`: the modules beside them."""

ENTRANCES = {"catchwater/__main__.py"}
"""Modules at the root that start something, and so import from a room."""

REDIS = {
    Path(f"catchwater/{name}.py")
    for name in (
        *("redis_node", "redis_cluster", "redis_errors", "redis_topology", "redis_trips"),
        "cluster_routes",
    )
}
MONGO = {
    Path("catchwater/mongo_client.py"),
    Path("catchwater/issues/store.py"),
    Path("catchwater/issues/release_store.py"),
    Path("catchwater/sourcemaps/store.py"),
    Path("sink/days.py"),
    Path("sink/notices/store.py"),
    Path("sink/trends.py"),
    Path("sink/writer.py"),
    Path("dashboard/reader.py"),
}
SERVERS = {
    "catchwater.redis_client",
    "catchwater.mongo_client",
    "catchwater.streams.consumer",
    "catchwater.streams.loop",
    "socket",
    "asyncio",
    "urllib.request",
}
RIM = {Path("stages/existing_issues.py")}
"""The one module of the stages that asks a server: for ids of issues, during a change-over."""

VAGUE = {
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "lib",
    "manager",
    "misc",
    "tools",
    "util",
    "utils",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_the_shared_library_and_itself_only(package: str) -> None:
    others = set(PACKAGES) - {package, "catchwater"}
    crossing = {str(path): tops(tree(path)) & others for path in files(package)}
    assert {path: found for path, found in crossing.items() if found} == {}


def test_no_module_loads_another_by_a_name_in_a_string() -> None:
    """But for a stage of streamdefs.yaml, whose name is the operator's."""
    calls = {
        (path.as_posix(), ast.unparse(node))
        for path in files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"importlib.import_module", "import_module", "__import__"}
    }
    assert calls == {
        ("catchwater/streams/stage_loader.py", "importlib.import_module(module)"),
    }


@pytest.mark.parametrize("room", ["root", *ROOMS])
def test_a_room_imports_from_the_rooms_before_it_only(room: str) -> None:
    allowed = ROOMS.get(room, set()) | {room}
    found = {
        path.as_posix(): crossing
        for path in files("catchwater")
        if room_of(path) == room and path.as_posix() not in ENTRANCES
        if (crossing := {room_of(target) for target in targets(path)} - allowed)
    }
    assert found == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {path: targets(path) for path in files(*PACKAGES)}
    assert [path.as_posix() for path in graph if path in reachable(graph, path)] == []


def room_of(path: Path) -> str:
    return path.parts[1] if len(path.parts) > 2 else "root"


def targets(path: Path) -> set[Path]:
    """The project's own modules that one imports, for types only, too."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            named = {module(f"{node.module}.{alias.name}") for alias in node.names}
            found |= named if None not in named else named | {module(node.module)}
        elif isinstance(node, ast.Import):
            found |= {module(alias.name) for alias in node.names}
    return {target for target in found if target is not None} - {path}


def module(name: str) -> Path | None:
    """The file of a module of ours; None for a name in a module, and for what is not ours."""
    path = Path(name.replace(".", "/"))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next(
        (one for one in candidates if one.parts[0] in PACKAGES and (ROOT / one).exists()), None
    )


def reachable(graph: dict[Path, set[Path]], start: Path) -> set[Path]:
    seen: set[Path] = set()
    ahead = set(graph[start])
    while ahead:
        seen |= ahead
        ahead = {target for path in ahead for target in graph.get(path, ())} - seen
    return seen


def test_redis_is_imported_only_where_connections_are_made() -> None:
    assert {path for path in files(*PACKAGES) if "redis" in tops(tree(path))} == REDIS


def test_tests_and_benchmarks_ask_redis_through_that_module_too() -> None:
    listed = files("tests", "benchmarks", "docs", "ops")
    found = {path.as_posix() for path in listed if "redis" in tops(tree(path))}
    assert {path for path in found if not path.startswith("benchmarks/reference")} == set()


def test_mongodb_is_imported_in_its_client_and_the_store_modules() -> None:
    drivers = {"pymongo", "bson", "gridfs"}
    assert {path for path in files(*PACKAGES) if tops(tree(path)) & drivers} == MONGO


def test_nothing_that_ships_imports_the_tests() -> None:
    tools = {"tests", "pytest", "testcontainers"}
    assert [path for path in files(*PACKAGES) if tops(tree(path)) & tools] == []


def test_a_stage_never_sees_a_server() -> None:
    found = {
        str(path): seen
        for path in files("stages")
        if path not in RIM and (seen := imported(tree(path)) & SERVERS)
    }
    assert found == {}


def test_every_module_is_named_for_what_it_does() -> None:
    assert [path for path in files(*PACKAGES, "tests") if path.stem in VAGUE] == []


def test_every_command_is_the_file_of_its_name_in_the_commands_of_a_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, target in project["entry-points"]["catchwater.commands"].items():
        package = target.partition(".")[0]
        assert target == f"{package}.commands.{name}:command"
        defined = {
            getattr(node, "name", "") for node in tree(Path(f"{package}/commands/{name}.py")).body
        }
        assert "command" in defined, f"{target}: nothing of that name is defined there"


def test_every_service_is_a_typed_package() -> None:
    assert [
        name for name in ("catchwater", *SERVICES) if not (ROOT / name / "py.typed").exists()
    ] == []
