"""How many blocks each stage of a backbone has, as settings say it: `4,6,3`."""

from __future__ import annotations

from posemill.errors import InputError
from posemill.models.base import Model
from posemill.settings import option

_MOST_BLOCKS = 64


def stage_blocks(model: Model, key: str, published: tuple[int, ...], what: str) -> tuple[int, ...]:
    """The numbers of the setting `key` of a model; the published ones where it is empty.

    Args:
        what: has these blocks, in messages.

    Raises:
        InputError: other than a number for each of the published stages.
    """
    text: str = getattr(model, key)
    numbers = text.split(",") if text else [str(number) for number in published]
    usable = all(each.isdecimal() and 1 <= int(each) <= _MOST_BLOCKS for each in numbers)
    if not usable or len(numbers) != len(published):
        raise InputError(
            f"model {model.name}: {key} of {what} must be {len(published)} whole numbers from 1 "
            f"to {_MOST_BLOCKS} with commas between, got {text!r}; the published ones are "
            f"--set {option(model, key)}={','.join(map(str, published))}"
        )
    return tuple(int(each) for each in numbers)
