"""Mistakes in a configuration file: all of them at once, each with its place, its value and a
next step.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from catchwater.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Where = tuple[str | int, ...]
_QUOTED = re.compile(r" '[^']*'")
M = TypeVar("M", bound=BaseModel)


class Document:
    """A YAML mapping whose every key knows its line."""

    def __init__(self, path: Path, if_missing: str = "") -> None:
        """`if_missing` says what to do where there is no such file."""
        self.path = path
        self._if_missing = if_missing
        self.mistakes: list[Mistake] = []
        self._lines: dict[Where, int] = {}
        self.data: dict[str, Any] = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            text = self.path.read_text(encoding="utf-8")
            self._walk(yaml.compose(text, yaml.SafeLoader), ())
            data = yaml.safe_load(text)
        except FileNotFoundError as error:
            why = ": ".join(filter(None, ("there is no such file", self._if_missing)))
            raise ConfigError(self.path, [Mistake(1, "", why)]) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(self.path, [Mistake(1, "", _unreadable(error))]) from error
        except yaml.YAMLError as error:
            raise ConfigError(self.path, [_not_yaml(error)]) from error
        if not isinstance(data, dict):
            raise ConfigError(
                self.path, [Mistake(1, "", f"a mapping is needed, not {type(data).__name__}")]
            )
        return data

    def _walk(self, node: yaml.Node | None, where: Where) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._note((*where, _plain(key.value)), key.start_mark.line + 1)
                self._walk(value, (*where, _plain(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._lines[*where, index] = value.start_mark.line + 1
                self._walk(value, (*where, index))

    def _note(self, where: Where, line: int) -> None:
        if where in self._lines:
            self.mistakes.append(
                Mistake(line, dotted(where), f"is set twice: also on line {self._lines[where]}")
            )
        self._lines[where] = line

    def line(self, where: Where) -> int:
        """The line of the nearest key that stands in the file."""
        return next(
            (self._lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in self._lines),
            1,
        )

    def wrong(self, where: Where, text: str) -> None:
        self.mistakes.append(Mistake(self.line(where), dotted(where), text))

    def build(self, model: type[M], data: Any, where: Where) -> M | None:
        """`data` as a `model`; None, and its mistakes noted, when it is not one."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for one in error.errors():
                self.wrong((*where, *one["loc"]), _sentence(one, model))
            return None

    def mapping(self, key: str) -> dict[str, Any]:
        """The mapping under `key`, empty when there is none."""
        found = self.data.get(key, {})
        if isinstance(found, dict):
            return found
        self.wrong((key,), f"a mapping is needed, not {type(found).__name__}")
        return {}

    def finish(self) -> None:
        if self.mistakes:
            raise ConfigError(self.path, self.mistakes)


def dotted(where: Where) -> str:
    return ".".join(str(part) for part in where)


def suggestion(value: object, known: Iterable[str]) -> str:
    """`; did you mean 'once_for'?`, or the list of what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(str(value), names, n=1)
    return (
        f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}" if names else ""
    )


def _plain(key: object) -> str | int:
    return key if isinstance(key, int) else str(key)


def _unreadable(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8: its byte {error.start} is {error.object[error.start]:#x}"
    return f"cannot be read: {error.strerror}"


def _not_yaml(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", "") or "it cannot be read"
    if isinstance(error, yaml.composer.ComposerError | yaml.constructor.ConstructorError):
        # a secret without quotes may begin with * or !
        problem = _QUOTED.sub("", problem) + "; write a text in quotes"
    return Mistake(mark.line + 1 if mark else 1, "", f"is not YAML: {problem}")


def _sentence(error: Any, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown setting" + suggestion(error["loc"][-1], _settings(model, error["loc"][:-1]))
    if error["type"] == "missing":
        return "is missing: " + next(_help(model, error["loc"]), "it must be set")
    said = error["msg"].removeprefix("Value error, ")
    if _holds_a_secret(model, error["loc"]):
        return f"{said} (what is there may be secret and is not shown)"
    return f"{said}, not {_short(error['input'])}"


def _holds_a_secret(model: type[BaseModel], where: Where) -> bool:
    """Whether the field at `where` in `model`, or one inside of it, is kept out of every repr."""
    field, inside = None, [model]
    for part in where:
        if not isinstance(part, int):
            field = inside[0].model_fields.get(part) if inside else None
            inside = list(_models(field.annotation)) if field else []
    return (field is not None and not field.repr) or any(map(_has_secrets, inside))


def _has_secrets(model: type[BaseModel]) -> bool:
    return any(
        not field.repr or any(map(_has_secrets, _models(field.annotation)))
        for field in model.model_fields.values()
    )


def _settings(model: type[BaseModel], where: Where) -> Iterator[str]:
    inside = _inside(model, where)
    return iter(inside.model_fields) if inside else iter(())


def _inside(model: type[BaseModel], where: Where) -> type[BaseModel] | None:
    """The model that stands at `where` in `model`: a section, or an element of a list of
    sections.
    """
    for part in where:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = list(_models(field.annotation)) if field else []
        if not found:
            return None
        model = found[0]
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if (
        isinstance(annotation, type)
        and not get_args(annotation)
        and issubclass(annotation, BaseModel)
    ):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _help(model: type[BaseModel], where: Where) -> Iterator[str]:
    inside = _inside(model, where[:-1]) or model
    field = inside.model_fields.get(str(where[-1]))
    return iter([field.description]) if field is not None and field.description else iter(())


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
