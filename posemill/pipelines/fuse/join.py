"""Answers of several models, brought to the same clips in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posemill.errors import InputError
from posemill.predictions import Predictions

Answers = Mapping[str, Predictions]
"""By what each is called in messages: its folder."""


def join(answers: Answers, *, only_common: bool = False) -> tuple[Predictions, ...]:
    """The answers for the clips that all have, in the order of the first.

    `only_common` leaves out clips that some lack, which are refused otherwise.

    Raises:
        InputError: they are of other classes, splits, clips or labels, with how many.
    """
    (first, ours), *others = answers.items()
    for name, theirs in others:
        _require_same_task(first, ours, name, theirs)
        if not only_common:
            _require_same_clips(first, ours, name, theirs)
    common = set(ours.clip_ids).intersection(*(theirs.clip_ids for _, theirs in others))
    if not common:
        raise InputError(f"{', '.join(answers)} have no clip in common; fuse answers for the same")
    order = [id_ for id_ in ours.clip_ids if id_ in common]
    joined = tuple(_pick(each, order) for each in answers.values())
    for name, theirs in zip(answers, joined, strict=True):
        _require_same_labels(first, joined[0], name, theirs)
    return joined


def num_unavailable(all_answers: Sequence[Predictions], num_joined: int) -> int:
    """Clips of the subset that are not among the joined ones."""
    return max(len(each) + each.num_unavailable for each in all_answers) - num_joined


def _pick(answers: Predictions, clip_ids: Sequence[str]) -> Predictions:
    place = {id_: number for number, id_ in enumerate(answers.clip_ids)}
    return answers.pick(place[id_] for id_ in clip_ids)


def _require_same_task(first: str, ours: Predictions, name: str, theirs: Predictions) -> None:
    if ours.classes != theirs.classes:
        unlike = [
            f"class {number} is {one!r} in {first} and {other!r} in {name}"
            for number, (one, other) in enumerate(zip(ours.classes, theirs.classes, strict=False))
            if one != other
        ]
        raise InputError(
            f"{first} has {len(ours.classes)} classes and {name} {len(theirs.classes)}, of which "
            f"{len(unlike)} differ{': ' if unlike else ''}{'; '.join(unlike[:3])}; fuse models of "
            "the same classes in the same order"
        )
    for what in ("split", "subset", "multi_label"):
        one, other = getattr(ours, what), getattr(theirs, what)
        if one != other:
            raise InputError(
                f"{first} was scored with {what}={one} and {name} with {what}={other}; fuse "
                "answers for the same clips"
            )


def _require_same_clips(first: str, ours: Predictions, name: str, theirs: Predictions) -> None:
    known, given = set(ours.clip_ids), set(theirs.clip_ids)
    missing = [id_ for id_ in ours.clip_ids if id_ not in given]
    extra = [id_ for id_ in theirs.clip_ids if id_ not in known]
    if missing or extra:
        raise InputError(
            f"{name} lacks {len(missing)} of the {len(ours)} clips of {first} and has "
            f"{len(extra)} others, as {(missing or extra)[0]}; score the same clips with both, or "
            "fuse those that all have with --only-common"
        )


def _require_same_labels(first: str, ours: Predictions, name: str, theirs: Predictions) -> None:
    unlike = [
        id_
        for id_, one, other in zip(ours.clip_ids, ours.labels, theirs.labels, strict=True)
        if set(one) != set(other) or (one[:1] != other[:1] and not ours.multi_label)
    ]
    if unlike:
        raise InputError(
            f"{len(unlike)} of {len(ours)} clips have other labels in {name} than in {first}, as "
            f"{unlike[0]}; score both with features of the same catalog"
        )
