"""An unmodified sentry-cli uploads the maps of a build, and the stage uses them."""

from __future__ import annotations

import io
import random
import shutil
from contextlib import closing
from dataclasses import replace

import pytest
from pymongo import MongoClient

from catchwater.local.servers import free_port
from catchwater.sourcemaps.store import MapStore, sha_of
from catchwater.sourcemaps.upload.bundle import artifacts
from tests.browser.sites import by_nginx
from tests.missing import node
from tests.sourcemaps.explained import named, position, simple, upload
from tests.sourcemaps.indexed import READER
from tests.sourcemaps.sentry import UPLOAD, manifest, served, zipped
from tests.sourcemaps.test_builds import crash
from tests.waiting import wait_until

FORWARD = """
location / {
  proxy_pass http://$http_host$request_uri;
  client_max_body_size 33m;
  access_log asked combined;
}
"""


@pytest.fixture
def server(mongo, tmp_path):
    with served(mongo, tmp_path) as found:
        yield found


def stored(mongo, project="1"):
    with closing(MapStore(mongo)) as store:
        return {(one.release, one.path, one.debug_id): one for one in store.listed(project)}


def test_a_minified_frame_of_a_build_that_sentry_cli_uploaded_resolves(server, mongo, maps, builds):
    done = server.upload(builds["one"], "--release", "shop@1")
    assert done.returncode == 0, done.stdout + done.stderr
    maps.look()
    frame = named(crash(builds, "one", "shop@1"), maps)["frames"][0]
    assert [frame[key] for key in ("function", "line")] == ["checkoutOrder", 4]
    assert frame["context"]["line"] == "  return cart.total(order.missing.lines);"
    assert '"outcome":"uploaded","file":"~/shop.js.map","project":"1"' in server.log


def test_a_build_that_the_newest_plugins_of_bundlers_uploaded_resolves(
    server, mongo, maps, builds, tmp_path
):
    node(20)
    dist = shutil.copytree(builds["one"], tmp_path / "dist")  # it writes debug ids into it
    done = server.plugin(dist, "shop@1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored(mongo)
    maps.look()
    frame = named(crash({"one": dist}, "one", "shop@1"), maps)["frames"][0]
    assert [frame[key] for key in ("function", "line")] == ["checkoutOrder", 4]


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Host": "maps.example"}, "http://maps.example"),
        ({"Host": "maps.example:8443", "X-Forwarded-Proto": "https"}, "https://maps.example:8443"),
        (
            {"Host": "10.0.0.1", "X-Forwarded-Host": "maps.example", "X-Forwarded-Proto": "https"},
            "https://maps.example",
        ),
    ],
)
def test_clients_are_told_where_to_upload_by_the_address_they_came_to(server, headers, address):
    status, told = server.ask("GET", UPLOAD, **headers)
    assert status == 200
    assert told["url"] == f"{address}{UPLOAD}"


def test_it_uploads_through_the_proxy_of_a_company(server, mongo, builds, tmp_path):
    (folder := tmp_path / "proxy").mkdir()
    (folder / "any.conf").write_text(FORWARD)
    port = free_port()
    client = replace(server, client={"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": ""})
    with by_nginx(port, server.port, folder, folder / "any.conf"):
        done = client.upload(builds["one"], "--release", "shop@1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored(mongo)
    asked = (folder / "asked").read_text()
    assert f"POST http://127.0.0.1:{server.port}/api/0/organizations/" in asked


def test_it_is_stored_as_our_own_upload_stores_it(server, mongo, builds):
    """Without rewriting sentry-cli sends the very bytes."""
    server.upload(builds["one"], "--release", "shop@1", "--no-rewrite")
    (theirs,) = stored(mongo).items()
    assert "0 uploaded, 1 there" in upload(mongo, builds["one"], "--release", "shop@1").output
    (ours,) = stored(mongo).items()
    assert theirs[0] == ours[0]
    assert (theirs[1].sha, theirs[1].size, theirs[1].mappings) == (
        ours[1].sha,
        ours[1].size,
        ours[1].mappings,
    )


def test_a_frame_of_an_injected_build_is_found_by_its_debug_id_without_a_release(
    server, mongo, maps, builds, tmp_path
):
    dist = shutil.copytree(builds["one"], tmp_path / "dist")
    assert server.cli("sourcemaps", "inject", dist).returncode == 0
    assert server.upload(dist).returncode == 0
    ((release, path, debug_id),) = stored(mongo)
    assert (release, path) == ("", "~/shop.js")
    assert debug_id in (dist / "shop.js").read_text().replace("-", "")
    maps.look()
    line, column = position(dist / "shop.js", ".missing.lines")
    image = {"type": "sourcemap", "code_file": "app:///x.js", "debug_id": debug_id}
    frames = [{"filename": "app:///x.js", "lineno": line, "colno": column + 1, "function": "t"}]
    value = {"type": "Error", "value": "m", "stacktrace": {"frames": frames}}
    told = {
        "event_id": "0" * 32,
        "exception": {"values": [value]},
        "debug_meta": {"images": [image]},
    }
    assert named(told, maps, "sentry")["frames"][0]["function"] == "checkoutOrder"


def test_uploaded_twice_changes_nothing(server, mongo, builds, tmp_path):
    assert server.upload(builds["one"], "--release", "r").returncode == 0
    before = stored(mongo)
    (tmp_path / "later").mkdir()
    with served(mongo, tmp_path / "later") as again:
        assert again.upload(builds["one"], "--release", "r").returncode == 0
        assert '"uploaded":0,"there":1,"skipped":0,"refused":0' in again.log
    after = stored(mongo)
    assert {key: one.sha for key, one in after.items()} == {
        key: one.sha for key, one in before.items()
    }
    assert all(after[key].uploaded > one.uploaded for key, one in before.items())


def test_a_wrong_token_is_refused_in_words_that_sentry_cli_shows(server, mongo, builds):
    done = server.upload(builds["one"], "--release", "r", token="f" * 64)
    assert done.returncode == 1
    assert "CATCHWATER_MAPS_TOKEN" in done.stderr
    assert "401" in done.stderr
    assert stored(mongo) == {}


def test_projects_are_told_by_name_too_several_at_once(server, mongo, builds):
    options = (
        "--org",
        "o",
        "--project",
        "shop",
        "--project",
        "2",
        "--release",
        "r",
        "--url-prefix",
        "~/static",
    )
    assert server.cli("sourcemaps", "upload", *options, builds["one"]).returncode == 0
    assert set(stored(mongo, "1")) == set(stored(mongo, "2")) == {("r", "~/static/shop.js", "")}


def test_an_address_of_a_host_stands_for_any_host(server, mongo, builds):
    server.upload(builds["one"], "--release", "r", "--url-prefix", "https://cdn7.example/static/")
    assert set(stored(mongo)) == {("r", "~/static/shop.js", "")}


def test_an_unknown_project_is_refused_in_words_that_sentry_cli_shows(server, mongo, builds):
    done = server.cli(
        "sourcemaps", "upload", "--org", "o", "--project", "nope", "--release", "r", builds["one"]
    )
    assert done.returncode == 1
    assert (
        "there is no such project in projects.yaml; there are: 1 (shop), 2 (office)" in done.stderr
    )


def test_a_name_that_several_projects_have_is_refused(server, builds):
    with (server.folder / "projects.yaml").open("a") as file:
        file.write(f'- {{id: "3", name: shop, key: "{"3" * 32}"}}\n')
    options = (
        "sourcemaps",
        "upload",
        "--org",
        "o",
        "--project",
        "shop",
        "--release",
        "r",
        builds["one"],
    )
    wait_until(
        lambda: "2 projects have that name" in server.cli(*options).stderr,
        "the new project is seen",
    )


def test_a_map_that_cannot_be_used_fails_the_upload_and_the_others_are_kept(
    server, mongo, tmp_path
):
    (tmp_path / "dist").mkdir()
    for name, mappings in (("good", "AACEA,U"), ("bad", "AAAAAAAAAAA")):
        (tmp_path / f"dist/{name}.js").write_text(f"x()\n//# sourceMappingURL={name}.js.map\n")
        (tmp_path / f"dist/{name}.js.map").write_bytes(simple(mappings=mappings))
    done = server.upload(tmp_path / "dist", "--release", "r", "--no-rewrite")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "~/bad.js.map" in done.stdout + done.stderr
    assert set(stored(mongo)) == {("r", "~/good.js", "")}


def test_scripts_that_make_and_finalize_a_release_around_it_work(server):
    for words in (("new", "shop@1"), ("finalize", "shop@1")):
        done = server.cli("releases", "--org", "o", "--project", "1", *words)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("script", "target", "path"),
    [
        ("~/a/b.js", "b.js.map", "~/a/b.js.map"),
        ("~/a/b.js", "../maps/b.js.map", "~/maps/b.js.map"),
        ("~/a/b.js", "/m/b.js.map", "~/m/b.js.map"),
        ("~/b.js", "b%20c.map?v=1", "~/b c.map"),
        ("https://x.example/b.js", "https://x.example/b.js.map", "https://x.example/b.js.map"),
    ],
)
def test_a_script_s_map_is_told_relative_to_it(script, target, path):
    told = {"s": {"type": "minified_source", "url": script, "headers": {"Sourcemap": target}}}
    told["m"] = {"type": "source_map", "url": path}
    packed = zipped({"manifest.json": manifest(**told), "m": simple()})
    found = list(artifacts(io.BytesIO(packed), READER))
    assert [(one.path, one.why) for one in found] == [
        (script.removeprefix("~/").rpartition("example/")[2], "")
    ]


def test_a_build_that_takes_several_chunks_and_requests_is_whole(server, mongo, tmp_path):
    (tmp_path / "dist").mkdir()
    for name in "abcd":
        raw = simple(
            sourcesContent=[f"function outer() {{}}\n// {random.randbytes(9 * 2**20).hex()}"]
        )
        (tmp_path / f"dist/{name}.js").write_text(f"x()\n//# sourceMappingURL={name}.js.map\n")
        (tmp_path / f"dist/{name}.js.map").write_bytes(raw)
    done = server.upload(tmp_path / "dist", "--release", "r", "--no-rewrite")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {one.sha for one in stored(mongo).values()} == {
        sha_of(path.read_bytes()) for path in (tmp_path / "dist").glob("*.map")
    }


def test_a_release_that_sentry_cli_finalizes_or_deploys_is_marked(server, mongo):
    project = ("--org", "catchwater", "--project", "1")
    for arguments in (
        ("releases", *project, "new", "only-made@1"),
        ("releases", *project, "new", "at-once@1", "--finalize"),
        ("releases", *project, "finalize", "later@1"),
        ("deploys", *project, "new", "--release", "later@1", "--env", "production"),
    ):
        done = server.cli(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    with MongoClient(mongo) as client:
        found = sorted(one["_id"] for one in client.catchwater.deploys.find())
    assert found == ["1:at-once@1@", "1:later@1@", "1:later@1@production"]
