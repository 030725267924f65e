"""Imports point one way: services import `catchwater` and themselves, and it imports none of them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, SERVICES, files, imported, tops, tree

REDIS = {Path("catchwater/connection.py")}
MONGO = {Path("sink/store.py"), Path("dashboard/store.py"), Path("stages/known.py"), Path("stages/sourcemaps/store.py")}
RIM = {
    Path("stages/known.py"),
    *(Path("stages/sourcemaps") / name for name in ("store.py", "kept.py", "assembling.py", "server.py", "serve.py")),
}
"""Maps when a frame needs one, and ids of issues during a change-over: all that stages ask servers for. The rest is
the service that takes maps from sentry-cli, which no stage runs."""
VAGUE = {"utils", "util", "common", "core", "helpers", "helper", "manager", "base", "misc", "lib", "tools"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_the_shared_library_and_itself_only(package: str) -> None:
    others = set(PACKAGES) - {package, "catchwater"}
    crossing = {str(path): tops(tree(path)) & others for path in files(package)}
    assert {path: found for path, found in crossing.items() if found} == {}


def test_only_the_check_of_mongodb_loads_a_service_by_a_name_of_its_own() -> None:
    calls = {
        (path.as_posix(), ast.unparse(node.args[0]))
        for path in files("catchwater")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module"
    }
    assert {call for call in calls if call[1].startswith("'")} == {("catchwater/capabilities.py", "'sink.store'")}


def test_redis_is_imported_in_one_module() -> None:
    assert {path for path in files(*PACKAGES) if "redis" in tops(tree(path))} == REDIS


def test_tests_and_benchmarks_ask_redis_through_that_module_too() -> None:
    found = {path.as_posix() for path in files("tests", "benchmarks", "docs", "ops") if "redis" in tops(tree(path))}
    assert {path for path in found if not path.startswith("benchmarks/reference")} == set()


def test_mongodb_is_imported_in_the_store_modules() -> None:
    assert {path for path in files(*PACKAGES) if tops(tree(path)) & {"pymongo", "bson", "gridfs"}} == MONGO


def test_nothing_that_ships_imports_the_tests() -> None:
    assert [path for path in files(*PACKAGES) if tops(tree(path)) & {"tests", "pytest", "testcontainers"}] == []


def test_the_embedded_servers_need_no_client_library() -> None:
    own = imported(tree(Path("catchwater/embedded.py")))
    assert not {name for name in own if name.startswith(("redis", "pymongo", "valkey", "fiftyone", "catchwater"))}


def test_a_stage_never_sees_a_server() -> None:
    rim = {"catchwater.connection", "catchwater.streams", "catchwater.runtime", "socket", "asyncio", "urllib.request"}
    assert {
        str(path): found for path in files("stages") if path not in RIM and (found := imported(tree(path)) & rim)
    } == {}


def test_every_module_is_named_for_what_it_does() -> None:
    assert [path for path in files(*PACKAGES, "tests") if path.stem in VAGUE] == []


def test_commands_are_named_by_strings_that_can_be_imported() -> None:
    table = next(
        node.value
        for node in tree(Path("catchwater/cli.py")).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "COMMANDS"
    )
    for target in ast.literal_eval(table).values():
        module, _, name = target.partition(":")
        path = Path(module.replace(".", "/") + ".py")
        assert path in files(*PACKAGES), f"{target}: there is no {path}"
        assert name in {getattr(node, "name", "") for node in tree(path).body}, f"{path} defines no {name}"


def test_every_service_is_a_typed_package() -> None:
    root = Path(__file__).parents[2]
    assert [name for name in ("catchwater", *SERVICES) if not (root / name / "py.typed").exists()] == []
