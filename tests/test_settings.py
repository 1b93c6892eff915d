import dataclasses
import json
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pytest

from posemill.errors import InputError
from posemill.provenance import canonical_json
from posemill.schema import Skeleton
from posemill.settings import describe_settings, parse_settings, setting
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe, create_recipe, recipe_names
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.sample import Sample


@dataclass(frozen=True)
class EveryKind(Recipe):
    """A plugin's recipe with a setting of every kind."""

    name: ClassVar[str] = "every-kind"
    version: ClassVar[int] = 1

    number: int = setting(3, "an int", low=2, high=64)
    share: float = setting(0.5, "a float", low=0.0, high=1.0)
    size_hw: tuple[int, int] = setting((64, 86), "a pair", low=1, high=1024, unit="px")
    span: tuple[float, float] = setting((0.5, 1.0), "a pair of floats", low=0.0, high=2.0)
    flag: bool = setting(False, "a truth value")
    word: Literal["max", "sum"] = setting("max", "a choice")

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:  # noqa: ARG002
        return ()

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:  # noqa: ARG002
        return {}


def test_text_becomes_typed_fields() -> None:
    text = {
        "number": "4",
        "share": "0.25",
        "size_hw": "32, 48",
        "span": "0,1.5",
        "flag": "true",
        "word": "sum",
    }
    assert EveryKind(**parse_settings(EveryKind, text)) == EveryKind(
        number=4, share=0.25, size_hw=(32, 48), span=(0.0, 1.5), flag=True, word="sum"
    )


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("numbr", "3", r"no setting 'numbr' \(did you mean 'number'\?\); its .* number=3, share"),
        ("xyzzy", "3", r"no setting 'xyzzy'; its settings and defaults: skeleton=own, number=3"),
        (
            "number",
            "three",
            r"a whole number, from 2 to 64, got 'three'; the default is --set number=3",
        ),
        ("number", "1", r"must be from 2 to 64, got 1; the nearest is --set number=2"),
        ("number", "65", r"must be from 2 to 64, got 65; the nearest is --set number=64"),
        ("number", "3.5", r"a whole number, .*got '3.5'"),
        ("share", "-0.1", r"must be from 0 to 1, got -0.1; the nearest is --set share=0.0"),
        ("share", "nan", r"must be from 0 to 1, got nan; the nearest is --set share=0.5"),
        ("share", "inf", r"must be from 0 to 1, got inf; the nearest is --set share=1.0"),
        ("size_hw", "64", r"two whole numbers like 64,86, .*, got '64'"),
        ("size_hw", "1,2,3", r"two whole numbers like 64,86, .*, got '1,2,3'"),
        (
            "size_hw",
            "0,2000",
            r"from 1 to 1024 px, got 0,2000; the nearest is --set size_hw=1,1024",
        ),
        (
            "span",
            "1,0.5",
            r"a lower and a greater number from 0 to 2, got 1.0,0.5; .* span=0.5,1.0",
        ),
        ("flag", "yes", r"a truth value, true or false, got 'yes'"),
        ("word", "mean", r"must be max or sum, got mean; the nearest is --set word=max"),
        ("word", "summ", r"must be max or sum, got summ; the nearest is --set word=sum"),
        (
            "skeleton",
            "coco17",
            r"no skeleton is called 'coco17' \(did you mean 'coco-17'\?\); ther",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(key: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        EveryKind(**parse_settings(EveryKind, {key: text}))


@pytest.mark.parametrize(
    "fields",
    [{"number": 1}, {"number": True}, {"share": 2}, {"word": "mean"}, {"size_hw": (1,)},
     {"size_hw": [1, 2, 3]}, {"size_hw": [0, 2]}, {"flag": 1}, {"skeleton": 3}, {"share": "0.5"}],
)  # fmt: skip
def test_fields_are_checked_without_text_too(fields: dict[str, object]) -> None:
    with pytest.raises(InputError, match="recipe every-kind"):
        EveryKind(**fields)  # type: ignore[arg-type]


def test_equal_numbers_of_other_types_make_equal_recipes() -> None:
    plain = EveryKind(number=4, share=1.0, size_hw=(32, 48))
    for other in (
        EveryKind(number=np.int64(4), share=1, size_hw=[32, 48]),
        EveryKind(number=np.uint8(4), share=np.float32(1.0), size_hw=(np.int32(32), 48)),
    ):
        assert other == plain
        assert canonical_json(other.configuration()) == canonical_json(plain.configuration())


def test_a_setting_without_a_default_is_a_mistake_of_the_plugin() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Bad(EveryKind):
        needed: int

    with pytest.raises(TypeError, match="setting 'needed' needs a default"):
        parse_settings(Bad, {})


def test_settings_are_described_with_defaults_and_ranges() -> None:
    described = describe_settings(EveryKind)
    assert described["number"] == ("3", "an int: from 2 to 64")
    assert described["size_hw"] == ("64,86", "a pair: two numbers from 1 to 1024 px")
    assert described["flag"] == ("false", "a truth value: true or false")
    assert described["word"] == ("max", "a choice: max or sum")


@pytest.mark.parametrize("name", recipe_names())
def test_defaults_read_back_from_their_own_text(name: str) -> None:
    recipe = create_recipe(name)
    text = {key: default for key, (default, _) in describe_settings(type(recipe)).items()}
    assert create_recipe(name, text) == recipe


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_hashable_and_its_configuration_is_json(name: str) -> None:
    recipe = create_recipe(name)
    assert hash(recipe) == hash(create_recipe(name))
    configuration = recipe.configuration()
    assert json.loads(canonical_json(configuration)) == configuration
    assert configuration["name"] == name
    # These came later: at their defaults they are left out, so that older stores are gone on with.
    later = {"fields", "draw"} if name.startswith("tempposeconv") else set()
    names = {field.name for field in dataclasses.fields(recipe)} - later
    assert set(configuration["settings"]) == names


def test_an_unknown_recipe_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no recipe is called 'potions' \(did you mean 'potion'"):
        create_recipe("potions")
