"""openpifpaf's weights as posemill keeps them: tensors and plain data, nothing that runs."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.openpifpaf.pickles import describe_code

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "posemill openpifpaf 1"
CONVERT = "posemill models convert FILE --trust --out CONVERTED"
_KEYS = ("base_net", "keypoints", "limbs", "upsample_stride", "state")


@dataclass(frozen=True, slots=True)
class PifPafCheckpoint:
    """A network: the names of its parts and the numbers in them.

    Raises:
        ValueError: a state that holds other things than tensors.
    """

    base_net: str
    """Name of the trunk in openpifpaf's `BASE_FACTORIES`."""
    keypoints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    """The joints of each association field, numbers from 0."""
    upsample_stride: int
    """How many cells of the heads there are to one of the trunk, each way."""
    state: Mapping[str, Tensor]
    """The state dict of an openpifpaf `Shell` with the heads CIF and CAF."""

    def __post_init__(self) -> None:
        import torch

        if not all(isinstance(value, torch.Tensor) for value in self.state.values()):
            raise ValueError("the state of a checkpoint must hold tensors only")


def save_checkpoint(checkpoint: PifPafCheckpoint, path: Path) -> None:
    """Write what `load_checkpoint` reads."""
    import torch

    content = {
        "format": FORMAT,
        "base_net": checkpoint.base_net,
        "keypoints": list(checkpoint.keypoints),
        "limbs": [list(limb) for limb in checkpoint.limbs],
        "upsample_stride": checkpoint.upsample_stride,
        "state": dict(checkpoint.state),
    }
    with path.open("wb") as stream:  # given a path, torch would write its name into the file
        torch.save(content, stream)


def load_checkpoint(path: Path) -> tuple[PifPafCheckpoint, str]:
    """The checkpoint in a converted file, and the file's sha256. Nothing in the file is run.

    Raises:
        WeightsUnavailable: no such file, one that would run code, or another kind of file.
    """
    if not path.is_file():
        raise WeightsUnavailable(
            f"the weights of openpifpaf are not at {path}; give a converted checkpoint "
            f"with --weights (made by: {CONVERT})"
        )
    code = describe_code(path)
    if code:
        raise WeightsUnavailable(
            f"{path} is a pickle that runs code when it is loaded ({code}), so it is not; if you "
            f"trust where it comes from, convert it once: {CONVERT.replace('FILE', str(path))}"
        )
    data = path.read_bytes()  # once: what is hashed is what is used
    return parse_checkpoint(data, path), hashlib.sha256(data).hexdigest()


def parse_checkpoint(data: bytes, path: Path) -> PifPafCheckpoint:
    """The checkpoint in the bytes of the file at `path`; only numbers and plain data are taken.

    Raises:
        WeightsUnavailable: they hold anything else.
    """
    import torch

    try:
        content: dict[str, Any] = torch.load(
            io.BytesIO(data), map_location="cpu", weights_only=True
        )
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}, expected {FORMAT!r}")
        base_net, keypoints, limbs, upsample_stride, state = (content[key] for key in _KEYS)
        return PifPafCheckpoint(
            str(base_net),
            tuple(map(str, keypoints)),
            tuple((int(first), int(second)) for first, second in limbs),
            int(upsample_stride),
            dict(state),
        )
    except Exception as error:  # whatever the unpickler meets, of many types
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsUnavailable(
            f"{path} does not hold weights of openpifpaf ({line}); give a file made by: {CONVERT}"
        ) from error
