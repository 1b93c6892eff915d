"""Settings of recipes and pose formats: declared with ranges, read from text, checked here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Protocol, get_args, get_origin, get_type_hints

from posemill.errors import InputError

_ABOUT = "posemill.setting"


class Configurable(Protocol):
    """What has settings: a dataclass whose fields `setting` makes."""

    kind: ClassVar[str]
    """What it is, in messages: `recipe`."""
    name: ClassVar[str]

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class About:
    """What a setting means and, of numbers, from where to where it goes."""

    meaning: str
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""


def setting(
    default: Any,
    meaning: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    unit: str = "",
) -> Any:
    """A field of a `Configurable`.

    Its type may be int, float, bool, str, a Literal of strings, a pair of ints,
    or a pair of floats, from the lower to the greater; numbers must be in range.
    """
    return field(default=default, metadata={_ABOUT: About(meaning, low, high, unit)})


def describe_settings(owner: type[Configurable]) -> dict[str, tuple[str, str]]:
    """Of every setting, its default as text, and its meaning with the values that it takes."""
    return {
        name: (as_text(default), f"{about.meaning}: {_expected(kind, about)}")
        for name, (kind, default, about) in _declared(owner).items()
    }


def parse_settings(owner: type[Configurable], settings: Mapping[str, str]) -> dict[str, Any]:
    """Values for the fields of `owner` that `settings` names, not yet checked for range.

    Raises:
        InputError: a setting that it lacks, or text of another type.
    """
    declared = _declared(owner)
    parsed = {}
    for key, text in settings.items():
        if key not in declared:
            known = ", ".join(f"{name}={as_text(d)}" for name, (_, d, _) in declared.items())
            raise InputError(
                f"{owner.kind} {owner.name} has no setting {key!r}{did_you_mean(key, declared)}; "
                f"its settings and defaults: {known}"
            )
        parsed[key] = _parse(owner, key, text, declared[key])
    return parsed


def check_settings(owner: Configurable) -> None:
    """Check every field against its declared type and range; 1 becomes 1.0.

    Raises:
        InputError: naming the setting, its value, what it may be, and the nearest such value.
    """
    for key, (kind, default, about) in _declared(type(owner)).items():
        value = getattr(owner, key)
        nearest = _nearest(kind, about, value, default)
        if nearest != (tuple(value) if isinstance(value, list) else value):
            raise unusable(owner, key, value, _expected(kind, about), nearest)
        # Equal recipes have equal configurations, in which 1 and 1.0 would differ.
        object.__setattr__(owner, key, nearest)


def unusable(
    owner: Configurable, key: str, value: object, expected: str, nearest: object
) -> InputError:
    """The error for a setting that cannot be."""
    return InputError(
        f"{owner.kind} {owner.name}: {key} must be {expected}, got {as_text(value)}; "
        f"the nearest is --set {option(owner, key)}={as_text(nearest)}"
    )


def option(owner: Configurable | type[Configurable], key: str) -> str:
    """A setting's name as `--set` takes it: with what its class puts before it, if anything."""
    return f"{getattr(owner, 'prefix', '')}{key}"


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """` (did you mean 'sigma'?)`, or nothing where no known word is near."""
    close = get_close_matches(text, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def as_text(value: object) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _declared(owner: type[Configurable]) -> dict[str, tuple[Any, Any, About]]:
    """Type, default and description of each field."""
    kinds = get_type_hints(owner)
    declared = {}
    for each in fields(owner):
        if each.default is MISSING:
            raise TypeError(f"{owner.kind} {owner.name}: the setting {each.name!r} needs a default")
        about = each.metadata.get(_ABOUT, About(each.name))
        declared[each.name] = (kinds[each.name], each.default, about)
    return declared


def _nearest(kind: Any, about: About, value: Any, default: Any) -> Any:
    """`value` itself where it may be, else a value near it that may."""
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        close = get_close_matches(str(value), choices, n=1, cutoff=0.5)
        return value if value in choices else (*close, default)[0]
    if get_origin(kind) is tuple:
        if not (isinstance(value, tuple | list) and len(value) == len(default)):
            return default
        numbers = zip(get_args(kind), value, default, strict=True)
        pair = tuple(_nearest(part, about, each, other) for part, each, other in numbers)
        return tuple(sorted(pair)) if get_args(kind)[0] is float else pair
    if kind in (int, float):
        usable = isinstance(value, Integral if kind is int else Real)
        if not usable or isinstance(value, bool) or math.isnan(value):
            return default
        return kind(min(max(value, about.low), about.high))
    return value if isinstance(value, kind) else default


def _expected(kind: Any, about: About) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if kind is bool:
        return "true or false"
    if kind is str:
        return "text"
    words = _PAIRS.get(kind, "")
    return f"{words}from {_bound(about.low)} to {_bound(about.high)} {about.unit}".rstrip()


_PAIRS = {tuple[int, int]: "two numbers ", tuple[float, float]: "a lower and a greater number "}


def _bound(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _parse(owner: type[Configurable], key: str, text: str, declared: tuple[Any, Any, About]) -> Any:
    kind, default, about = declared
    if get_origin(kind) is Literal:
        return text
    parser, shape = _PARSERS[kind]
    try:
        return parser(text)
    except ValueError as error:
        raise InputError(
            f"{owner.kind} {owner.name}: {key} must be {shape}, {_expected(kind, about)}, "
            f"got {text!r}; the default is --set {option(owner, key)}={as_text(default)}"
        ) from error


def _boolean(text: str) -> bool:
    words = {"true": True, "false": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _pair(number: Callable[[str], Any]) -> Callable[[str], tuple[Any, Any]]:
    def parse(text: str) -> tuple[Any, Any]:
        first, second = text.split(",")
        return number(first), number(second)

    return parse


_PARSERS: Mapping[Any, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (_boolean, "a truth value"),
    str: (str, "text"),
    tuple[int, int]: (_pair(int), "two whole numbers like 64,86"),
    tuple[float, float]: (_pair(float), "two numbers like 0.5,1"),
}
