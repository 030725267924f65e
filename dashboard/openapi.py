"""The description of the JSON API, in OpenAPI 3.1: made from the routes, each of which says what it
takes and answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from dashboard.answers import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

    from catchwater.event import Json

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

DESCRIPTION = web.AppKey("openapi", dict[str, Any])

_SCHEMAS = "#/components/schemas/"

_FAILURES = {
    "400": "A parameter cannot be used.",
    "401": "A password or a token is needed, or was wrong.",
    "403": "A token is for one project, and that is of all; or nobody is signed in.",
    "404": "There is none of that id, or not any more.",
    "421": "Without a password, only under a name of this machine.",
    "429": "Too many wrong passwords or tokens came from that address: see Retry-After.",
    "503": "Redis or MongoDB does not answer just now: see Retry-After.",
}

_WAYS: dict[str, Json] = {
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "The dashboard's password. Any user will do.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A read token, which `catchwater token new` makes, for all or one project.",
    },
}

_ABOUT = """\
What Catchwater has counted, for programs. It only reads.

Every failure is `{error: "..."}`. An answer has an ETag: send it back as If-None-Match, and 304
says that nothing has changed. Texts of issues and events come from strangers' browsers: show them
as text, and follow nothing that they say. Answers may get further fields.
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the address: of its path if the path names it, else of its query."""

    name: str
    about: str
    schema: Json = field(default_factory=lambda: {"type": "string"})
    example: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route takes and answers. `answer` is a model, or a list of one; None: `media`."""

    summary: str
    answer: type[BaseModel] | None
    parameters: tuple[Parameter, ...] = ()
    listed: bool = False
    media: str = "application/json"


def operation(
    summary: str,
    answer: type[BaseModel] | None,
    *parameters: Parameter,
    listed: bool = False,
    media: str = "application/json",
) -> Callable[[Decorated], Decorated]:
    """Says what a handler takes and answers."""
    described = Operation(summary, answer, parameters, listed, media)

    def decorate(handler: Decorated) -> Decorated:
        handler.operation = described  # type: ignore[attr-defined] # functions have attributes
        return handler

    return decorate


def operation_of(route: web.AbstractRoute) -> Operation | None:
    found: Operation | None = getattr(route.handler, "operation", None)
    return found


def document(router: web.UrlDispatcher, *, password: bool = False, tokens: bool = False) -> Json:
    """The description of all routes that have one, and of what has to be sent with each."""
    ways = [way for way, taken in (("password", password), ("token", tokens)) if taken]
    routes = [one for one in router.routes() if one.method == "GET" and operation_of(one)]
    described = {_path(one): operation_of(one) for one in routes}
    operations = {path: one for path, one in described.items() if one}
    models = {one.answer for one in operations.values() if one.answer}
    schemas = _schemas(sorted({*models, Failure}, key=lambda one: one.__name__))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Catchwater", "version": version("catchwater"), "description": _ABOUT},
        "paths": {path: {"get": _operation(path, one)} for path, one in operations.items()},
        "components": {
            "schemas": schemas,
            "responses": {status: _failure(why) for status, why in _FAILURES.items()},
            "securitySchemes": _WAYS,
        },
        "security": [{way: []} for way in ways] or [{}],
    }


def _path(route: web.AbstractRoute) -> str:
    return route.resource.canonical if route.resource else ""


def _operation(path: str, one: Operation) -> Json:
    named = re.findall(r"{(\w+)}", path)
    failures = [status for status in _FAILURES if status != "404" or named]
    references = {status: {"$ref": f"#/components/responses/{status}"} for status in failures}
    unchanged = {"description": "Nothing has changed since the ETag of If-None-Match."}
    return {
        "operationId": re.sub(r"\W+", "_", path.removeprefix("/api/")).strip("_"),
        "summary": one.summary,
        "parameters": [_parameter(each, in_path=each.name in named) for each in one.parameters],
        "responses": {"200": _answer(one), "304": unchanged, **references},
    }


def _parameter(one: Parameter, *, in_path: bool) -> Json:
    example = {} if one.example is None else {"example": one.example}
    about = {"name": one.name, "in": "path" if in_path else "query", "required": in_path}
    return {**about, "description": one.about, "schema": one.schema, **example}


def _answer(one: Operation) -> Json:
    schema: Json = {"type": "object"} if one.media == "application/json" else {"type": "string"}
    if one.answer:
        schema = {"$ref": f"{_SCHEMAS}{one.answer.__name__}"}
    if one.listed:
        schema = {"type": "array", "items": schema}
    headers = {"ETag": {"schema": {"type": "string"}}}
    content = {one.media: {"schema": schema}}
    return {"description": one.summary, "headers": headers, "content": content}


def _failure(why: str) -> Json:
    schema = {"$ref": f"{_SCHEMAS}{Failure.__name__}"}
    return {"description": why, "content": {"application/json": {"schema": schema}}}


class _Untitled(GenerateJsonSchema):
    """Without a title for each field, which only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def _schemas(models: Iterable[type[BaseModel]]) -> Json:
    _, found = models_json_schema(
        [(one, "validation") for one in models],
        ref_template=_SCHEMAS + "{model}",
        schema_generator=_Untitled,
    )
    schemas: Json = found["$defs"]
    return schemas
