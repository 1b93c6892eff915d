"""The loss of a step by its settings."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from posemill.models.base import EMBEDDINGS, LOGITS, PoseNetwork
from posemill.models.losses import joint_contrastive_loss
from posemill.pipelines.training.objective import count_right, step_loss
from posemill.pipelines.training.settings import LossSettings

LOGITS_OF_3 = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
ONE_CLASS = torch.tensor([0, 0, 1])
SEVERAL = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
INSTANCES = torch.tensor([7, 7, 8])


class OfClassesAlone(PoseNetwork):
    """Keeps the loss that every network has."""

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(values)


NETWORK = OfClassesAlone()


def test_the_contrast_joins_in_its_first_epoch() -> None:
    z = torch.nn.functional.normalize(
        torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    outputs = {LOGITS: LOGITS_OF_3, EMBEDDINGS: z}
    settings = LossSettings(contrast=0.5, temperature=0.2, positives="only-aug", contrast_from=3)
    alone = step_loss(NETWORK, LossSettings(), outputs, ONE_CLASS, INSTANCES, 1)
    # -log of the softmax: log(1 + e^-2), log(1 + e^1), log(1 + e^-3)
    expected = torch.log1p(torch.exp(torch.tensor([-2.0, 1.0, -3.0]))).mean()
    torch.testing.assert_close(alone, expected)
    assert torch.equal(step_loss(NETWORK, settings, outputs, ONE_CLASS, INSTANCES, 2), alone)
    contrast = joint_contrastive_loss(
        z, ONE_CLASS, temperature=0.2, positives="only-aug", instances=INSTANCES
    )
    for epoch in (3, 4):
        found = step_loss(NETWORK, settings, outputs, ONE_CLASS, INSTANCES, epoch)
        torch.testing.assert_close(found, alone + 0.5 * contrast)


def test_several_classes_are_told_apart_one_by_one() -> None:
    outputs = {LOGITS: LOGITS_OF_3}
    loss = step_loss(NETWORK, LossSettings(of_classes="binary"), outputs, SEVERAL, INSTANCES, 1)
    # -log sigmoid(x) = log(1 + e^-x) where a class is there, log(1 + e^x) where it is not
    signs = torch.tensor([[-2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    torch.testing.assert_close(loss, torch.log1p(torch.exp(signs)).mean())


@pytest.mark.parametrize(("labels", "right"), [(ONE_CLASS, 2), (SEVERAL, 1)])
def test_an_answer_is_right_that_names_a_class(labels: torch.Tensor, right: int) -> None:
    assert int(count_right({LOGITS: LOGITS_OF_3}, labels)) == right
