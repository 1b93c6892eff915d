"""Optimizers: what each is given of the settings, and which weights; steps by hand."""

import pytest
import torch
from torch import nn

from posemill.pipelines.training.optimizers import clip_gradients, make_optimizer, set_rate
from posemill.pipelines.training.settings import OptimizerSettings

SETTINGS = {"learning_rate": 0.5, "weight_decay": 0.25}


def weights_of(values: list[list[float]]) -> list[nn.Parameter]:
    return [nn.Parameter(torch.tensor(each)) for each in values]


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)],
)
def test_the_settings_reach_the_optimizer(algorithm: str, kind: type) -> None:
    trained, frozen = weights_of([[1.0], [2.0]])
    frozen.requires_grad_(False)
    settings = OptimizerSettings(algorithm=algorithm, momentum=0.8, nesterov=True, **SETTINGS)  # type: ignore[arg-type]
    optimizer = make_optimizer(settings, [trained, frozen])
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert [id(weight) for weight in group["params"]] == [id(trained)]
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.25)
    if algorithm == "sgd":
        assert (group["momentum"], group["nesterov"]) == (0.8, True)


def stepped(algorithm: str, *, steps: int = 1, **more: float | bool) -> float:
    """A weight of 1 after steps with gradients of 2."""
    (weight,) = weights_of([[1.0]])
    settings = OptimizerSettings(algorithm=algorithm, **SETTINGS, **more)  # type: ignore[arg-type]
    optimizer = make_optimizer(settings, [weight])
    for _ in range(steps):
        weight.grad = torch.tensor([2.0])
        optimizer.step()
    return weight.item()


def test_steps_by_hand() -> None:
    # SGD: g = 2 + .25 * 1; w = 1 - .5 * 2.25 = -.125
    assert stepped("sgd", momentum=0.0) == pytest.approx(-0.125)
    # Then g = 2 - .25 * .125 = 1.96875, v = .9 * 2.25 + g = 3.99375; w = -.125 - .5 * v
    assert stepped("sgd", steps=2, momentum=0.9) == pytest.approx(-2.121875)
    # Nesterov's looks ahead at once: g + .9 * v = 2.25 * 1.9
    assert stepped("sgd", momentum=0.9, nesterov=True) == pytest.approx(1 - 0.5 * 2.25 * 1.9)
    # Adam's first step has the size of the rate; AdamW's decay is apart: 1 - .5 * .25 - .5
    assert stepped("adam") == pytest.approx(0.5)
    assert stepped("adamw") == pytest.approx(0.375)


def test_a_rate_is_given_to_all_weights() -> None:
    first, second = weights_of([[1.0], [1.0]])
    optimizer = torch.optim.SGD([{"params": [first]}, {"params": [second], "lr": 9.0}], lr=1.0)
    set_rate(optimizer, 0.125)
    assert [group["lr"] for group in optimizer.param_groups] == [0.125, 0.125]


@pytest.mark.parametrize(
    ("greatest", "expected"),
    [(1.0, [0.6, 0.8]), (10.0, [3.0, 4.0]), (0.0, [3.0, 4.0])],  # of a norm of 5; 0: any
)
def test_the_norm_of_all_gradients_is_bounded(greatest: float, expected: list[float]) -> None:
    model = nn.Linear(1, 1)
    model.weight.grad, model.bias.grad = torch.tensor([[3.0]]), torch.tensor([4.0])
    clip_gradients(model, greatest)
    found = [model.weight.grad.item(), model.bias.grad.item()]
    assert found == pytest.approx(expected, rel=1e-5)
