"""openpifpaf's network: a trunk in reduced precision if asked for, heads always in float32."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from posemill.errors import EnvironmentFault, WeightsUnavailable
from posemill.models.devices import to_device
from posemill.models.estimators.openpifpaf.checkpoint import PifPafCheckpoint
from posemill.models.estimators.openpifpaf.fields import FieldLayout, Fields
from posemill.models.estimators.openpifpaf.imports import import_openpifpaf
from posemill.schema import Float32, UInt8

# Of ImageNet, which the trunks were first trained on.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class PifPafNetwork:
    """Pictures to fields, on one device."""

    def __init__(
        self, checkpoint: PifPafCheckpoint, device: torch.device, dtype: torch.dtype
    ) -> None:
        """Raises WeightsUnavailable where the checkpoint is of no network of openpifpaf's."""
        shell = build_shell(checkpoint)
        self.layout = FieldLayout(
            limbs=checkpoint.limbs,
            trunk_stride=shell.base_net.stride,
            stride=shell.base_net.stride // checkpoint.upsample_stride,
            num_features=shell.base_net.out_features,
        )
        self._device, self._dtype = device, dtype
        self._trunk = shell.base_net.to(device, dtype, memory_format=torch.channels_last)
        self._heads = shell.head_nets.to(device, memory_format=torch.channels_last)
        self._mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(_DEVIATION, device=device).view(1, 3, 1, 1)

    def fields(self, pictures: UInt8, *, keep_features: bool) -> list[Fields]:
        """Of pictures (B, H, W, 3), each in host memory.

        Raises:
            EnvironmentFault: the output is not finite.
        """
        pixels = to_device(pictures, self._device).float().div_(255)
        features = self._trunk(pixels.sub_(self._mean).div_(self._deviation).to(self._dtype))
        features = features.float()
        with _whole_float32():
            cif, caf = (self._finite(head(features)) for head in self._heads)
        kept: list[Float32] | list[None] = [None] * len(cif)
        if keep_features:
            kept = list(self._finite(features))
        return [Fields(*maps) for maps in zip(cif, caf, kept, strict=True)]

    def _finite(self, output: Tensor) -> Float32:
        array: Float32 = output.cpu().numpy()
        if not np.isfinite(array).all():
            raise EnvironmentFault(
                f"openpifpaf's output on {self._device} in {self._dtype} is not finite: damaged "
                "weights, a failing device, or numbers too large for this precision; check the "
                "weights with: posemill models list, or take "
                "--estimator-option dtype=bfloat16"
            )
        return array


def build_shell(checkpoint: PifPafCheckpoint) -> Any:
    """openpifpaf's `Shell` with the checkpoint's trunk, heads and numbers, for inference.

    Raises:
        WeightsUnavailable: no trunk has that name, or its numbers are not these.
    """
    pifpaf = import_openpifpaf()
    if checkpoint.base_net not in pifpaf.BASE_FACTORIES:
        raise WeightsUnavailable(
            f"openpifpaf has no network {checkpoint.base_net!r}; it has: "
            f"{', '.join(sorted(pifpaf.BASE_FACTORIES))}"
        )
    # Numbers on the device "meta" take no memory and no time: the checkpoint's take their place.
    with without_pretrained_trunks(pifpaf), torch.device("meta"):
        trunk = pifpaf.BASE_FACTORIES[checkpoint.base_net]()
        shell = pifpaf.network.Shell(trunk, _heads(pifpaf, checkpoint, trunk.out_features))
    try:
        shell.load_state_dict(dict(checkpoint.state), strict=True, assign=True)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise WeightsUnavailable(
            f"the weights do not fit openpifpaf's network {checkpoint.base_net} "
            f"({' '.join(lines[1:2])[:200]}); expected a network built with its usual settings"
        ) from error
    pifpaf.network.nets.model_defaults(shell)
    return shell.eval().requires_grad_(requires_grad=False)


def _heads(pifpaf: Any, checkpoint: PifPafCheckpoint, in_features: int) -> list[nn.Module]:
    names, sigmas = list(checkpoint.keypoints), [1.0] * len(checkpoint.keypoints)
    skeleton = [(first + 1, second + 1) for first, second in checkpoint.limbs]
    cif = pifpaf.headmeta.Cif("cif", "posemill", keypoints=names, sigmas=sigmas)
    caf = pifpaf.headmeta.Caf("caf", "posemill", keypoints=names, sigmas=sigmas, skeleton=skeleton)
    for meta in (cif, caf):
        meta.upsample_stride = checkpoint.upsample_stride
    return [pifpaf.network.heads.CompositeField4(meta, in_features) for meta in (cif, caf)]


@contextmanager
def without_pretrained_trunks(pifpaf: Any) -> Iterator[None]:
    """No trunk downloads ImageNet's weights.

    torchvision wants a choice of weights where openpifpaf says whether there are to
    be any, so None and not False; and it warns of how openpifpaf passes it.
    """
    modules = vars(pifpaf.network.basenetworks).values()
    kinds = [kind for kind in modules if isinstance(kind, type) and hasattr(kind, "pretrained")]
    before = [kind.pretrained for kind in kinds]
    for kind in kinds:
        kind.pretrained = None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using 'weights' as positional parameter")
            yield
    finally:
        for kind, value in zip(kinds, before, strict=True):
            kind.pretrained = value


@contextmanager
def _whole_float32() -> Iterator[None]:
    """TensorFloat-32 has no more digits than float16: the heads' coordinates want more."""
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=True, deterministic=cudnn.deterministic, allow_tf32=False):
        yield
