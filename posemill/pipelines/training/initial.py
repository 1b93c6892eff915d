"""The weights that a run begins with: another run's, or a backbone's that others published."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from posemill.errors import InputError, StoreCorrupted
from posemill.models.backbones.published import fitting_published, read_published
from posemill.models.checkpoints import fitting_weights, read_checkpoint
from posemill.pipelines.runs import LAST


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """The bytes of a file, as they were read once."""

    content: bytes = field(repr=False)
    origin: str
    """Where they are from, in messages."""

    def fitting(self, network: nn.Module) -> tuple[dict[str, Tensor], str]:
        """The tensors that a network takes, which may be one without memory.

        Returns:
            tensors by the network's names, and in a line what became of the file's.

        Raises:
            InputError: they are of another network, or there are none.
        """
        try:
            state = read_checkpoint(self.content, self.origin)
        except StoreCorrupted:  # which may be weights of others
            return self._published(network)
        tensors = fitting_weights(network, state, self.origin)
        anew = len(network.state_dict()) - len(tensors)
        beside = f"; {anew} of the network are drawn anew" if anew else ""
        return tensors, f"{self.origin}: {len(tensors)} tensors of a run{beside}"

    def _published(self, network: nn.Module) -> tuple[dict[str, Tensor], str]:
        try:
            saved = read_published(self.content, self.origin)
        except StoreCorrupted as error:
            raise InputError(f"--init {error}") from error
        tensors, report = fitting_published(network, saved, self.origin)
        return tensors, str(report)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_initial(place: str) -> InitialWeights | None:
    """The weights at `place`: a file, or the last ones of a run's folder; None for no place.

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
            "give a file of weights, or the folder of a run"
        ) from error
