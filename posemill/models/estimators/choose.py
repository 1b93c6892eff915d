"""Resolves which estimator runs with which weights, once, in the driver: workers never download."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from posemill.errors import InputError
from posemill.models.estimators.weights.pull import ignore_bytes, pull_with_companions
from posemill.models.estimators.weights.tables import choose_published, published_by
from posemill.models.estimators.weights.web import OnBytes

AUTO = "auto"
DEFAULT = "blazepose"


@dataclass(frozen=True, slots=True)
class Choice:
    """An estimator's name, its weights, and what to tell the user about it."""

    name: str
    weights: Path | None = None
    """A local file or folder."""
    variant: str | None = None
    """The name of published weights; None for the default ones, which have one spelling so."""
    note: str = ""


def resolve_estimator(
    name: str, *, weights: str | None, pull: bool, on_bytes: OnBytes = ignore_bytes
) -> Choice:
    """Turn `auto` into a name and `weights` into a path or a published name; pull if asked to.

    Raises:
        InputError: `weights` is neither a path nor the name of published weights.
        WeightsUnavailable: the weights were asked for and cannot be fetched.
    """
    chosen = DEFAULT if name == AUTO else name
    note = ""
    if name == AUTO:
        note = (
            f"estimator auto: {chosen}, the embedded default for real footage "
            "(medium-sized, mostly separate people); name another with --estimator"
        )
    path, variant = resolve_weights(chosen, weights)
    if pull and path is None and published_by(chosen):
        pull_with_companions(choose_published(chosen, variant), on_bytes=on_bytes)
    return Choice(chosen, path, variant, note)


def resolve_weights(estimator: str, text: str | None) -> tuple[Path | None, str | None]:
    """What `--weights` names: a local path, or published weights of the estimator.

    What exists is a path; else a published name is one; else what looks like a
    path is one, be it there or not.

    Raises:
        InputError: it is neither.
    """
    if text is None:
        return None, None
    path = Path(text)
    if path.exists():
        return path, None
    named = {weights.name: weights for weights in published_by(estimator)}
    if text in named:
        return None, None if named[text] == choose_published(estimator) else text
    if path.suffix or os.sep in text:
        return path, None
    known = f"none of the published weights of {estimator} ({', '.join(named)})"
    raise InputError(
        f"--weights {text} is no file or folder here, and "
        f"{known if named else f'{estimator} has no published ones'}; "
        "give a path, or one of the names that `posemill models list` shows"
    )
