"""From openpifpaf's pickled checkpoints, which run code when loaded, to files that run none."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from posemill.errors import InputError
from posemill.models.estimators.openpifpaf.checkpoint import (
    PifPafCheckpoint,
    load_checkpoint,
    save_checkpoint,
)
from posemill.models.estimators.openpifpaf.imports import import_openpifpaf
from posemill.models.estimators.openpifpaf.network import build_shell
from posemill.models.estimators.openpifpaf.pickles import describe_code
from posemill.transforms.skeletons import COCO_17

_TOLERANCE = 1e-4  # of confidences, and of coordinates in cells


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion made."""

    base_net: str
    sha256: str
    num_bytes: int


def convert_checkpoint(source: Path, target: Path, *, trust: bool) -> Converted:
    """Write the network of one of openpifpaf's checkpoints as tensors and plain data.

    Loading such a checkpoint runs whatever code it names, with the rights of the
    user, so `trust` says that the user trusts where it comes from. The converted
    network, read from its file, is compared with the pickled one on a made-up picture.

    Raises:
        InputError: not trusted, or no network of openpifpaf's for COCO's 17 joints.
        MissingDependency: openpifpaf is not installed.
    """
    if not source.is_file():
        raise InputError(f"there is no file {source} to convert; give a checkpoint of openpifpaf")
    code = describe_code(source)
    if code and not trust:
        raise InputError(
            f"{source} is a pickle that runs code when it is loaded ({code}); if you trust where "
            "it comes from, convert it with --trust"
        )
    pifpaf = import_openpifpaf()
    shell = _unpickle(pifpaf, source, trusted=bool(code))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".convert-") as scratch:
        written = Path(scratch) / target.name
        save_checkpoint(_checkpoint(pifpaf, shell, source), written)
        checkpoint, sha256 = load_checkpoint(written)
        _require_equal(build_shell(checkpoint), shell, source)
        os.replace(written, target)  # noqa: PTH105
    return Converted(checkpoint.base_net, sha256, target.stat().st_size)


def _unpickle(pifpaf: Any, source: Path, *, trusted: bool) -> Any:
    try:
        content = torch.load(source, map_location="cpu", weights_only=not trusted)
        shell = content["model"]
        if not isinstance(shell, pifpaf.network.Shell):
            raise TypeError(f"its model is a {type(shell).__name__}, expected a Shell")
        pifpaf.network.model_migration.model_migration(shell)
    except Exception as error:  # whatever the pickle's own code raises
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{source} is no checkpoint of openpifpaf ({type(error).__name__}: {line}); "
            "give a .pkl as openpifpaf trains and publishes them"
        ) from error
    return shell.eval()


def _checkpoint(pifpaf: Any, shell: Any, source: Path) -> PifPafCheckpoint:
    """The trunk, and the heads with the joints and the limbs of people."""
    cif, caf = (_head(pifpaf, shell, kind, source) for kind in ("Cif", "Caf"))
    metas = shell.head_nets[cif].meta, shell.head_nets[caf].meta
    if metas[0].upsample_stride != metas[1].upsample_stride:
        raise InputError(f"the heads of {source} differ in their strides; none of openpifpaf's do")
    renamed = {f"head_nets.{cif}.": "head_nets.0.", f"head_nets.{caf}.": "head_nets.1."}
    return PifPafCheckpoint(
        base_net=str(shell.base_net.name),
        keypoints=tuple(metas[0].keypoints),
        limbs=tuple((int(first) - 1, int(second) - 1) for first, second in metas[1].skeleton),
        upsample_stride=int(metas[0].upsample_stride),
        state=_renamed_state(shell.state_dict(), {"base_net.": "base_net.", **renamed}),
    )


def _renamed_state(
    state: dict[str, torch.Tensor], prefixes: dict[str, str]
) -> dict[str, torch.Tensor]:
    return {
        new + name.removeprefix(old): value.detach().clone().contiguous()
        for name, value in state.items()
        for old, new in prefixes.items()
        if name.startswith(old)
    }


def _head(pifpaf: Any, shell: Any, kind: str, source: Path) -> int:
    """Where the first head of this kind for COCO's joints is.

    Raises:
        InputError: there is none.
    """
    wanted = pifpaf.network.heads.CompositeField4, getattr(pifpaf.headmeta, kind)
    for number, head in enumerate(shell.head_nets):
        same_kind = (type(head), type(head.meta)) == wanted
        if same_kind and tuple(head.meta.keypoints) == COCO_17.keypoints:
            return number
    found = ", ".join(f"{head.meta.dataset}.{head.meta.name}" for head in shell.head_nets)
    raise InputError(
        f"{source} has no {kind} head for the 17 joints of COCO (it has: {found}); take a "
        "checkpoint that was trained on cocokp"
    )


def _require_equal(built: Any, original: Any, source: Path) -> None:
    """Raises:
    InputError: the two networks answer differently, so what is no state differs in them.
    """
    noise = np.random.default_rng(0).normal(size=(1, 3, 65, 81)).astype(np.float32)
    with torch.no_grad():
        picture = torch.from_numpy(noise)
        wanted = [head(original.base_net(picture)) for head in original.head_nets]
        got = [head(built.base_net(picture)) for head in built.head_nets]
    for field in got:
        same_shape = [other for other in wanted if other.shape == field.shape]
        if not any(torch.allclose(field, other, atol=_TOLERANCE) for other in same_shape):
            raise InputError(
                f"{source} holds a {original.base_net.name} that was built with other settings "
                "than openpifpaf's own; only the usual ones can be converted"
            )
