"""Every estimator's table of published weights, found by entry points when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from posemill.errors import InputError
from posemill.models.estimators.weights.published import PublishedWeights

ENTRY_POINT_GROUP = "posemill.weights"


def published_by(estimator: str) -> tuple[PublishedWeights, ...]:
    """The published weights of an estimator; none where it has no table."""
    found = entry_points(group=ENTRY_POINT_GROUP, name=estimator)
    return tuple(next(iter(found)).load()) if found else ()


def all_published() -> tuple[PublishedWeights, ...]:
    """All published weights by estimator, in the order of their tables."""
    names = sorted(entry_points(group=ENTRY_POINT_GROUP).names)
    return tuple(weights for name in names for weights in published_by(name))


def choose_published(estimator: str, name: str | None = None) -> PublishedWeights:
    """The weights of an estimator that are called `name`, or its default ones.

    Raises:
        InputError: there are none, or none of that name.
    """
    table = published_by(estimator)
    if not table:
        raise InputError(
            f"no weights of {estimator!r} are published; there are some of "
            f"{', '.join(sorted(entry_points(group=ENTRY_POINT_GROUP).names))}"
        )
    if name is None:
        return next((weights for weights in table if weights.default), table[0])
    return _called(name, table, f"of {estimator}")


def named_weights(name: str) -> PublishedWeights:
    """The weights that are called `name`, or the default ones of the estimator `name`.

    Raises:
        InputError: there are none, or several estimators have some of that name.
    """
    if published_by(name):
        return choose_published(name)
    return _called(name, all_published(), "at all")


def _called(name: str, table: Iterable[PublishedWeights], whose: str) -> PublishedWeights:
    table = tuple(table)
    found = [weights for weights in table if weights.name == name]
    if len(found) > 1:
        raise InputError(
            f"several estimators have weights called {name!r}: "
            f"{', '.join(weights.estimator for weights in found)}; name the estimator"
        )
    if not found:
        raise InputError(
            f"no published weights {whose} are called {name!r}; there are: "
            f"{', '.join(weights.name for weights in table)}"
        )
    return found[0]
