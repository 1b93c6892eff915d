"""What is drawn of a recipe's placed poses is what the recipe renders."""

from __future__ import annotations

import numpy as np
import pytest
from samples import made_sample, rng, specs_of, values

torch = pytest.importorskip("torch")

from posemill.errors import InputError  # noqa: E402
from posemill.models.rasterize import collate_placed, draw_module  # noqa: E402
from posemill.transforms.recipes import create_recipe  # noqa: E402
from posemill.transforms.recipes.people import GaussianRecipe  # noqa: E402
from posemill.transforms.skeletons import COCO_17, get_skeleton  # noqa: E402

CASES: list[tuple[str, dict[str, str], str]] = [
    ("volume", {"length": "4", "views": "2", "size_hw": "24,20"}, "volume"),
    ("volume", {"length": "4", "draw": "train", "size_hw": "24,20", "combine": "sum"}, "volume"),
    ("limb-volume", {"length": "4", "views": "2", "size_hw": "24,20"}, "volume"),
    ("limb-volume", {"length": "4", "skeleton": "parnet-14", "size_hw": "24,20"}, "volume"),
    ("tempposeconv-j", {"length": "2", "canvas_hw": "40,30"}, "joints"),
    ("tempposeconv-jdiff", {"length": "2", "canvas_hw": "40,30"}, "joint_differences"),
    ("potion", {"canvas_hw": "40,30"}, "u"),
    ("jmrn", {"canvas_hw": "40,30"}, "p"),
]
SAMPLES = [made_sample(9, 2), made_sample(0, 0), made_sample(12, 1)]


@pytest.mark.parametrize(
    ("name", "settings", "output"), CASES, ids=["-".join([n, *s.values()]) for n, s, _ in CASES]
)
def test_drawn_arrays_are_those_of_the_recipe(
    name: str, settings: dict[str, str], output: str
) -> None:
    recipe = create_recipe(name, settings)
    assert isinstance(recipe, GaussianRecipe)
    target = recipe.target(get_skeleton(SAMPLES[0].pose.skeleton))
    placed = [recipe.place(sample, rng(n)) for n, sample in enumerate(SAMPLES)]
    drawn = draw_module(recipe, target)(collate_placed(placed))
    assert list(drawn) == [output]
    rendered = np.stack([values(recipe, sample, output, n) for n, sample in enumerate(SAMPLES)])
    if output == "volume":
        rendered = rendered.reshape(-1, *rendered.shape[2:])
    assert drawn[output].dtype == torch.float32
    assert drawn[output].is_contiguous()
    spec = specs_of(recipe, SAMPLES[0].pose)[output]
    step = spec.scale_factor / 2 if spec.scale_factor else 0.0
    relative = 2.0**-11 if spec.dtype == "float16" else 0.0
    np.testing.assert_allclose(drawn[output].numpy(), rendered, rtol=relative, atol=step + 1e-5)
    assert rendered.any()


@pytest.mark.parametrize(
    ("name", "settings"),
    [("potion", {"people": "box"}), ("tempposeconv-j", {"source": "dense"}), ("parnet", {})],
)
def test_what_cannot_be_drawn_is_refused(name: str, settings: dict[str, str]) -> None:
    with pytest.raises(InputError, match=f"recipe {name} with .* cannot be drawn on the device"):
        draw_module(create_recipe(name, settings), COCO_17)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    ("name", "settings", "output"), CASES, ids=["-".join([n, *s.values()]) for n, s, _ in CASES]
)
def test_a_gpu_draws_the_same_without_the_host_waiting(
    name: str, settings: dict[str, str], output: str
) -> None:
    recipe = create_recipe(name, settings)
    assert isinstance(recipe, GaussianRecipe)
    target = recipe.target(get_skeleton(SAMPLES[0].pose.skeleton))
    batch = collate_placed([recipe.place(sample, rng(n)) for n, sample in enumerate(SAMPLES)])
    here, there = draw_module(recipe, target), draw_module(recipe, target).cuda()
    moved = batch.pin_memory().to("cuda", non_blocking=True)
    there(moved)  # the first call may load code
    torch.cuda.set_sync_debug_mode("error")
    try:
        maps = there(moved)[output]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(maps.cpu(), here(batch)[output], rtol=0, atol=1e-5)
