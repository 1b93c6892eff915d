"""A small openpifpaf network of random numbers, as its own training would save it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SMALL = "shufflenetv2x1"


def openpifpaf() -> Any:
    """The package; skips the test where it is not installed."""
    pytest.importorskip("torch")
    if find_spec("openpifpaf") is None:
        pytest.skip("openpifpaf is not installed: make install-openpifpaf")
    from posemill.models.estimators.openpifpaf.imports import import_openpifpaf

    return import_openpifpaf()


def make_shell(name: str = SMALL, metas: Sequence[Any] | None = None, seed: int = 0) -> Any:
    """An openpifpaf network of random numbers, as its own training begins with."""
    import torch

    from posemill.models.estimators.openpifpaf.network import without_pretrained_trunks

    package = openpifpaf()
    torch.manual_seed(seed)
    factory = package.network.Factory(base_name=name, checkpoint=None)
    with without_pretrained_trunks(package):
        wanted = metas or package.plugins.coco.CocoKp().head_metas
        return factory.factory(head_metas=wanted)[0]


def save_pickled(path: Path, seed: int = 0) -> Path:
    """A checkpoint as openpifpaf's trainer writes it, of a network that sees people in noise."""
    import torch

    shell = make_shell(seed=seed)
    _normalise(shell)
    with torch.no_grad():
        for head in shell.head_nets:
            head.conv.weight.mul_(5)  # what it sees differs from place to place
            bias = head.conv.bias.view(head.n_fields, head.n_components)
            bias[:, 1] += 1.0  # of the confidence
            bias[:, 1 + 1 + 2 * head.n_vectors :] += 4.0  # of the joints' sizes
    torch.save({"model": shell, "epoch": 1, "meta": {"args": "none"}}, path)
    return path


def save_converted(folder: Path, seed: int = 0) -> Path:
    """That checkpoint as posemill keeps it."""
    pickled = save_pickled(folder / "network.pkl", seed)
    from posemill.models.estimators.openpifpaf.convert import convert_checkpoint

    convert_checkpoint(pickled, folder / "network.pt", trust=True)
    return folder / "network.pt"


def _normalise(shell: Any) -> None:
    """Give the trunk's normalisations the mean and spread of noise, as training would."""
    import torch

    norms = [part for part in shell.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    shell.train()
    with torch.no_grad():
        shell.base_net(torch.rand(4, 3, 97, 129) * 4 - 2)
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value
    shell.eval()
