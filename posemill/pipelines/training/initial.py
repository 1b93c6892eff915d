"""The weights that a run begins with, where they are another run's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posemill.errors import InputError, StoreCorrupted
from posemill.models.checkpoints import read_checkpoint
from posemill.pipelines.runs import LAST


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """The bytes of a checkpoint, as they were read once."""

    content: bytes = field(repr=False)
    origin: str
    """Where they are from, in messages."""

    def state(self) -> dict[str, Any]:
        """What the checkpoint holds.

        Raises:
            InputError: it is none.
        """
        try:
            return read_checkpoint(self.content, self.origin)
        except StoreCorrupted as error:
            raise InputError(f"--init {error}") from error

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_initial(place: str) -> InitialWeights | None:
    """The checkpoint at `place`: a file, or the last one of a run's folder; None for no place.

    Raises:
        InputError: there is none.
    """
    if not place:
        return None
    path = Path(place)
    path = path / LAST if path.is_dir() else path
    try:
        return InitialWeights(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(
            f"--init {place}: no checkpoint can be read there ({error.strerror or error}); "
            "give a file, or the folder of a run"
        ) from error
