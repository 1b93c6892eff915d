"""Resolves which estimator runs, once, in the driver: workers never choose or download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posemill.models.estimators.blazepose.weights import pull_blazepose

AUTO = "auto"
DEFAULT = "blazepose"


@dataclass(frozen=True, slots=True)
class Choice:
    """An estimator's name, and what to tell the user about it."""

    name: str
    note: str = ""


def resolve_estimator(name: str, *, weights: Path | None, pull: bool) -> Choice:
    """Turn `auto` into a name, and fetch that estimator's weights where `pull` asks for it.

    Raises:
        WeightsUnavailable: the weights were asked for and cannot be fetched.
    """
    chosen = DEFAULT if name == AUTO else name
    note = ""
    if name == AUTO:
        note = (
            f"estimator auto: {chosen}, the embedded default for real footage "
            "(medium-sized, mostly separate people); name another with --estimator"
        )
    if pull and chosen == DEFAULT and weights is None:
        pull_blazepose()
    return Choice(chosen, note)
