"""The losses against plain loops over the papers' equations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from contrast_ranks import loss_and_gradient  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from ranks import run_ranks  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from posemill.models.losses import (  # noqa: E402
    Positives,
    classification_loss,
    contrastive_loss,
    joint_contrastive_loss,
    positive_weights,
)

Weight = Callable[[int, int], float]


def unit(batch: int = 6, joints: int = 3, size: int = 4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(batch, joints, size, generator=generator, dtype=torch.float64)
    return functional.normalize(vectors, dim=-1)


def reference(z: NDArray[np.float64], weight: Weight, tau: float) -> float:
    """Equations 1 and 2, the mean over the batch; `weight` 1 for positives, 0 for the rest."""
    batch, joints, _ = z.shape
    total = 0.0
    for j in range(joints):
        for i in range(batch):
            others = [a for a in range(batch) if a != i]
            positives = [p for p in others if weight(i, p) > 0]
            below = sum(np.exp(z[i, j] @ z[a, j] / tau) for a in others)
            logs = [
                weight(i, p) * np.log(np.exp(z[i, j] @ z[p, j] / tau) / below) for p in positives
            ]
            if positives:
                total -= sum(logs) / sum(weight(i, p) for p in positives)
    return total / batch


LABELS = [0, 1, 0, 2, 1, 0]  # 2 is alone
MULTI_HOT = [[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]
INSTANCES = [7, 7, 3, 3, 5, 9]
SHARED = np.array(MULTI_HOT) @ np.array(MULTI_HOT).T

CASES: list[tuple[Positives, Tensor, Weight]] = [
    ("shared-label", torch.tensor(LABELS), lambda i, p: LABELS[i] == LABELS[p]),
    ("shared-label", torch.tensor(MULTI_HOT).float(), lambda i, p: SHARED[i, p] > 0),
    ("only-aug", torch.tensor(LABELS), lambda i, p: INSTANCES[i] == INSTANCES[p]),
    ("only-aug", torch.tensor(MULTI_HOT).float(), lambda i, p: INSTANCES[i] == INSTANCES[p]),
    ("multi-label-weighted", torch.tensor(LABELS), lambda i, p: LABELS[i] == LABELS[p]),
    ("multi-label-weighted", torch.tensor(MULTI_HOT).float(), lambda i, p: SHARED[i, p]),
]


@pytest.mark.parametrize("tau", [0.05, 0.3, 1.0])
@pytest.mark.parametrize(("positives", "labels", "weight"), CASES)
def test_joint_contrastive_loss_equals_plain_loops(
    positives: Positives, labels: Tensor, weight: Weight, tau: float
) -> None:
    z = unit()
    instances = torch.tensor(INSTANCES)
    loss = joint_contrastive_loss(
        z, labels, temperature=tau, positives=positives, instances=instances
    )
    assert loss.item() == pytest.approx(reference(z.numpy(), weight, tau), rel=1e-5)


def test_variants_differ_where_labels_are_many() -> None:
    z, labels = unit(), torch.tensor(MULTI_HOT).float()
    kinds: tuple[Positives, ...] = ("shared-label", "only-aug", "multi-label-weighted")
    losses = {
        joint_contrastive_loss(
            z, labels, temperature=0.3, positives=each, instances=torch.tensor(INSTANCES)
        ).item()
        for each in kinds
    }
    assert len(losses) == 3


def test_gradient_equals_that_of_differences() -> None:
    z = unit(batch=4).requires_grad_()
    weights = positive_weights(
        torch.tensor([0, 1, 0, 1]), torch.tensor([0, 1, 0, 1]), counted=False
    )
    assert torch.autograd.gradcheck(
        lambda x: contrastive_loss(x, x, weights.double(), 0, 0.3), (z,)
    )


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_instances_without_positives_add_nought(batch: int) -> None:
    z = unit(batch).requires_grad_()
    loss = joint_contrastive_loss(z, torch.arange(batch), temperature=0.05)
    assert loss.item() == 0.0
    loss.backward()
    assert z.grad is not None
    assert (z.grad == 0).all()


def test_instances_without_positives_count_in_the_mean() -> None:
    z = unit(2)
    pair = contrastive_loss(z, z, torch.ones(2, 2), 0, 0.3)
    assert pair.item() == pytest.approx(0.0, abs=1e-12)  # the other is all there is
    z = unit(3)
    labels = torch.tensor([0, 0, 1])
    loss = joint_contrastive_loss(z, labels, temperature=0.3).item()
    sims = np.einsum("ijd,njd->jin", z, z) / 0.3
    two = sum(
        np.log(np.exp(sims[j, i, 1 - i]) + np.exp(sims[j, i, 2])) - sims[j, i, 1 - i]
        for i in (0, 1)
        for j in range(3)
    )
    assert loss == pytest.approx(two / 3, rel=1e-5)


def test_broken_embeddings_are_not_taken_for_missing_positives() -> None:
    z = unit(4)
    z[3] = torch.nan  # an instance whose label is its own
    labels = torch.tensor([0, 0, 0, 1])
    assert torch.isnan(joint_contrastive_loss(z, labels, temperature=0.3))
    z[:3], z[3] = torch.nan, unit(1)[0]
    assert torch.isnan(joint_contrastive_loss(z, labels, temperature=0.3))


def test_low_temperatures_stay_finite() -> None:
    z = torch.ones(4, 2, 1)
    z[2:] = -1
    loss = joint_contrastive_loss(z, torch.tensor([0, 1, 0, 1]), temperature=1e-3)
    # A positive at -1 among a negative at 1 and one at -1: 2 / tau each, and two joints.
    assert loss.item() == pytest.approx(2 * 2 / 1e-3, rel=1e-4)


def test_half_precision_outside_does_not_round_inside() -> None:
    z, labels = unit(seed=3).float(), torch.tensor(LABELS)
    exact = joint_contrastive_loss(z, labels, temperature=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        assert joint_contrastive_loss(z, labels, temperature=0.05).item() == exact.item()


def test_a_part_of_the_batch_is_compared_with_all_of_it() -> None:
    z, labels = unit(), torch.tensor(LABELS)
    whole = contrastive_loss(z, z, positive_weights(labels, labels, counted=False), 0, 0.3)
    parts = [
        contrastive_loss(
            z[first : first + 2],
            z,
            positive_weights(labels[first : first + 2], labels, counted=False),
            first,
            0.3,
        )
        for first in (0, 2, 4)
    ]
    torch.testing.assert_close(torch.stack(parts).mean(), whole)


def test_classification_losses_equal_plain_loops() -> None:
    generator = torch.Generator().manual_seed(2)
    logits = 3 * torch.randn(5, 4, generator=generator)
    classes = torch.tensor([3, 0, 1, 1, 2])
    rows = logits.double().numpy()
    expected = np.mean([np.log(np.exp(r).sum()) - r[c] for r, c in zip(rows, classes, strict=True)])
    assert classification_loss(logits, classes).item() == pytest.approx(expected, rel=1e-5)

    many = (torch.rand(5, 4, generator=generator) > 0.5).float()
    p = 1 / (1 + np.exp(-rows))
    y = many.numpy()
    expected = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert classification_loss(logits, many).item() == pytest.approx(expected, rel=1e-5)


def test_refusals_name_shapes() -> None:
    z = unit()
    with pytest.raises(ValueError, match=r"got \(6, 3, 4\) and \(5,\)"):
        joint_contrastive_loss(z, torch.arange(5), temperature=0.3)
    with pytest.raises(ValueError, match=r"must be \(B, J, D\).*got \(6, 4\)"):
        joint_contrastive_loss(z[:, 0], torch.arange(6), temperature=0.3)
    with pytest.raises(ValueError, match="above 0, got 0"):
        joint_contrastive_loss(z, torch.arange(6), temperature=0)
    with pytest.raises(ValueError, match=r"only-aug needs instances"):
        joint_contrastive_loss(z, torch.arange(6), temperature=0.3, positives="only-aug")
    with pytest.raises(ValueError, match=r"logits \(2, 3\), got torch.int64 \(2, 3\)"):
        classification_loss(torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"got torch.float32 \(2,\)"):
        classification_loss(torch.zeros(2, 3), torch.zeros(2))


def test_processes_together_learn_as_one_does_from_all(tmp_path: Path) -> None:
    losses, gradients = zip(*run_ranks(loss_and_gradient, 2, tmp_path), strict=True)
    whole, gradient = loss_and_gradient(0, 1)
    assert np.mean(losses) == pytest.approx(whole, rel=1e-5)
    for each in gradients:
        np.testing.assert_allclose(each, gradient, rtol=1e-4, atol=1e-6)
