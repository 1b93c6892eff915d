"""What these tests share: openpifpaf itself, and a small network of random numbers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

SMALL = "shufflenetv2x1"


@pytest.fixture(scope="session")
def pifpaf() -> Any:
    """The package; a skip where it is not installed."""
    if find_spec("openpifpaf") is None:
        pytest.skip("openpifpaf is not installed")
    from posemill.models.estimators.openpifpaf.imports import import_openpifpaf

    return import_openpifpaf()


@pytest.fixture(scope="session")
def make_shell(pifpaf: Any) -> Callable[..., Any]:
    """Builds an openpifpaf network of random numbers, as its own training begins with."""
    import torch

    from posemill.models.estimators.openpifpaf.network import _without_pretrained_trunks

    def make(name: str = SMALL, metas: list[Any] | None = None) -> Any:
        torch.manual_seed(0)
        factory = pifpaf.network.Factory(base_name=name, checkpoint=None)
        with _without_pretrained_trunks(pifpaf):
            wanted = metas or pifpaf.plugins.coco.CocoKp().head_metas
            return factory.factory(head_metas=wanted)[0]

    return make


@pytest.fixture(scope="session")
def pickled(make_shell: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as openpifpaf's trainer writes it, of a network that sees people in noise."""
    import torch

    shell = make_shell()
    _normalise(shell)
    with torch.no_grad():
        for head in shell.head_nets:
            head.conv.weight.mul_(5)  # what it sees differs from place to place
            bias = head.conv.bias.view(head.n_fields, head.n_components)
            bias[:, 1] += 1.0  # of the confidence
            bias[:, 1 + 1 + 2 * head.n_vectors :] += 4.0  # of the joints' sizes
    path = tmp_path_factory.mktemp("pickled") / "network.pkl"
    torch.save({"model": shell, "epoch": 1, "meta": {"args": "none"}}, path)
    return path


@pytest.fixture(scope="session")
def converted(pickled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That checkpoint as posemill keeps it."""
    from posemill.models.estimators.openpifpaf.convert import convert_checkpoint

    path = tmp_path_factory.mktemp("converted") / "network.pt"
    convert_checkpoint(pickled, path, trust=True)
    return path


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
