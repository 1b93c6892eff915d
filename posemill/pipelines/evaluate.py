"""A trained run's answers for the clips of a subset, each seen in all of its test views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.models.base import PoseNetwork
from posemill.models.checkpoints import load_weights, read_checkpoint
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.data import JOINED, ClipSet, ClipSource, view_specs
from posemill.pipelines.evaluations import write_attention, write_evaluation
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.runs import BEST, CONFIG, LAST, RunFolder, open_run
from posemill.pipelines.training.clips import open_clip_source, view_loader
from posemill.pipelines.training.config import TrainConfig, config_from_identity
from posemill.pipelines.training.scoring import Scores, score_clips
from posemill.predictions import Predictions
from posemill.schema import Float32
from posemill.settings import as_text
from posemill.storage.objects import Place
from posemill.transforms.recipes import get_recipe
from posemill.transforms.recipes.views import ViewRecipe

Weights = Literal["last", "best"]
# Settings of recipes that say which views of a clip there are, not what one shows.
_OF_VIEWS = frozenset({"area", "aspect", "draw", "size_hw", "views"})
# Of recipes that draw their own views, also what a cache keeps for them to be drawn of.
_OF_CACHES = frozenset({"candidates", "candidates_rgb", "canvas_hw", "scale", "windows"})


@dataclass(frozen=True, slots=True)
class EvaluateConfig:
    """What to score, and how.

    Raises:
        InputError: a probability outside [0, 1], or unknown weights.
    """

    subset: str = "test"
    split: str | None = None
    """None takes the one that was trained on."""
    weights: Weights = "last"
    """Of the last epoch, or of the one that did best on held-out training clips."""
    flip: bool = False
    """Whether the views' mirror images count as well."""
    drop_joint: float = 0.0
    """Probability that a person in a frame loses an elbow, wrist, knee or ankle."""
    attention: bool = False
    """Whether to keep the weights by which the network looks."""
    catalog: Path | None = None
    """Clips and labels of a pose store; None takes the one it was made from."""
    joined: tuple[Place, ...] = ()
    """More stores, where the run was trained on several that were joined."""
    device: str = "cpu"
    workers: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if self.weights not in get_args(Weights):
            raise InputError(f"weights must be last or best, got {self.weights!r}")
        if not 0.0 <= self.drop_joint <= 1.0:
            raise InputError(f"drop_joint must be a probability, 0 to 1, got {self.drop_joint}")


def evaluate(
    run_dir: Path, store: Place, config: EvaluateConfig = EvaluateConfig(), out: Path | None = None
) -> Evaluation:
    """Score every labelled clip of a subset; figures and answers go into `out`, or the run.

    The store may be another one than that of the training, of the same recipe and
    with classes that the run knows. Clips without people are scored from maps of
    zeros and counted.

    Raises:
        InputError: the run is unfinished, the store or the subset cannot be used, or `out` is
            no place for these answers.
        ConfigurationMismatch: the store differs from what was trained on.
        EnvironmentFault: the disk refuses.
        StoreCorrupted: damaged features, or a damaged checkpoint.
    """
    run = open_run(run_dir)
    folder = _folder_of(run_dir, out, config)
    trained = trained_config(run, config)
    device = resolve_device(config.device)
    source = open_clip_source((store, *config.joined), trained, config.catalog, testing=True)
    check_source(run, source)
    split = config.split or trained.split
    clips = source.select(split, config.subset)
    with torch_settings(config.threads, device):
        network = load_network(run, config.weights, trained).to(device)
        loader = view_loader(source, clips, trained, flip=config.flip, drop_joint=config.drop_joint)
        scores = score_clips(
            network,
            loader,
            view_specs(source),
            device,
            multi_label=trained.loss.multi_label,
            consensus=trained.model.consensus,
            attention=config.attention,
        )
    _require_attention(trained, config, scores)
    found = _predictions(run, trained, source, clips, scores, split, config.subset)
    evaluation = Evaluation(replace(found, made_with=_made_with(config, store)))
    write_evaluation(folder, evaluation)
    if config.attention:
        write_attention(folder, config.subset, found.clip_ids, scores.attention)
    return evaluation


def _require_attention(trained: TrainConfig, config: EvaluateConfig, scores: Scores) -> None:
    """Raises:
    InputError: weights are to be kept, and the network has none.
    """
    if config.attention and not scores.attention:
        raise InputError(
            f"the model {trained.model.name} with these settings has no weights by which it looks; "
            "leave out --attention"
        )


def _folder_of(run_dir: Path, out: Path | None, config: EvaluateConfig) -> Path:
    """Where the answers go.

    Raises:
        InputError: they would take the place of others that they are not like.
    """
    folder = out or run_dir
    is_own = folder.resolve() == run_dir.resolve()
    if is_own and config.drop_joint > 0:
        raise InputError(
            f"with drop_joint={config.drop_joint:g} clips lose joints: answers for them are no "
            f"result of {run_dir}, whose own they would replace; give another folder with -o"
        )
    if not is_own and (folder / CONFIG).exists():
        raise InputError(
            f"{folder} holds another run, whose answers those of {run_dir} would replace; choose "
            "another -o"
        )
    return folder


def _made_with(config: EvaluateConfig, store: Place) -> dict[str, str]:
    """How the answers were made, beside the views that the run's recipe has for tests."""
    return {
        "weights": config.weights,
        "flip": str(config.flip).lower(),
        "drop_joint": f"{config.drop_joint:g}",
        "store": ", ".join(sorted(map(str, (store, *config.joined)))),
    }


def load_network(run: RunFolder, weights: Weights, config: TrainConfig) -> PoseNetwork:
    """The trained network of a finished run, on the CPU.

    Raises:
        InputError: the run is unfinished, or held no clips out to find a best epoch.
        StoreCorrupted: a damaged checkpoint.
    """
    name = {"last": LAST, "best": BEST}[weights]
    content, last = run.read_checkpoint(name), run.read_checkpoint()
    if content is None and weights == "best" and last is not None:
        raise InputError(
            f"{run.root} has no best epoch: it held no training clips out; evaluate its last one, "
            "or train with --set clips.hold_out=0.1"
        )
    _require_finished(run, 0 if last is None else _epochs_done(last, f"{run.root}/{LAST}"))
    assert content is not None  # noqa: S101  (a finished run has one)
    shapes = {name: tuple(shape) for name, shape in run.identity["shapes"].items()}
    network = config.model.network(shapes, len(run.identity["classes"]))
    origin = f"{run.root}/{name}"
    load_weights(network, read_checkpoint(content, origin), origin)
    return network


def _epochs_done(content: bytes, origin: str) -> int:
    """Of a checkpoint; raises StoreCorrupted where it does not tell."""
    done = read_checkpoint(content, origin).get("epochs_done")
    if not isinstance(done, int):
        raise StoreCorrupted(
            f"{origin}: a checkpoint that does not tell its epochs_done, got {done!r}; train again "
            "into another folder"
        )
    return done


def trained_config(run: RunFolder, config: EvaluateConfig) -> TrainConfig:
    """The run's configuration, on this machine; of what it was trained on the whole recipe, so
    that poses are rendered like features that were trained on."""
    trained = config_from_identity(run.identity["config"])
    machine = replace(trained.machine, workers=config.workers)
    features = run.identity["features"]["configuration"]
    if JOINED in features:
        return replace(trained, machine=machine)
    settings = features["recipe"]["settings"].items()
    return replace(
        trained,
        recipe=features["recipe"]["name"],
        recipe_settings=tuple(f"{key}={_stored_as_text(value)}" for key, value in settings),
        machine=machine,
    )


def _stored_as_text(value: object) -> str:
    """A setting as `--set` takes it; JSON has lists for tuples."""
    return as_text(tuple(value) if isinstance(value, list) else value)


def _predictions(
    run: RunFolder,
    trained: TrainConfig,
    source: ClipSource,
    clips: ClipSet,
    scores: Scores,
    split: str,
    subset: str,
) -> Predictions:
    classes = run.identity["classes"]
    numbers = [classes.index(name) for name in source.classes]  # of the store's among the run's
    boxes, times = _boxes(clips)
    return Predictions(
        model=trained.model.name,
        split=split,
        subset=subset,
        classes=tuple(classes),
        clip_ids=clips.clip_ids,
        video_ids=clips.video_ids,
        labels=tuple(tuple(numbers[label] for label in labels) for labels in clips.labels),
        empty=scores.empty,
        probabilities=scores.probabilities,
        logits=scores.logits,
        multi_label=trained.loss.multi_label,
        boxes=boxes,
        times=times,
        num_unavailable=clips.num_unavailable,
        num_views=scores.num_views,
    )


def _boxes(clips: ClipSet) -> tuple[Float32 | None, npt.NDArray[np.float64] | None]:
    """The box of each clip's person at its middle, and when that is; None unless all have one."""
    if not all(clips.boxes):
        return None, None
    middle = [boxes[len(boxes) // 2] for boxes in clips.boxes]
    corners = [(box.left, box.top, box.right, box.bottom) for box in middle]
    return np.array(corners, np.float32), np.array([box.seconds for box in middle], np.float64)


def check_source(run: RunFolder, source: ClipSource) -> None:
    """Refuse arrays that the network was not trained on.

    Raises:
        ConfigurationMismatch: another recipe, skeleton or way of drawing, or unknown classes.
    """
    trained = run.identity["features"]["configuration"]
    lines = _unlike(source.configuration, trained)
    if lines:
        raise ConfigurationMismatch(
            f"{source.url} was made in another way than what {run.root} was trained on:\n  "
            + "\n  ".join(lines)
        )
    unknown = sorted(set(source.classes) - set(run.identity["classes"]))
    if unknown:
        raise ConfigurationMismatch(
            f"{source.url} has {len(unknown)} classes that {run.root} was not trained on, as "
            f"{', '.join(unknown[:5])}; use a store whose classes the run knows"
        )


def _unlike(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Sequence[str]:
    """How two sources differ in what decides a view's content, by their configurations."""
    shown, trained = _by_recipe(ours), _by_recipe(theirs)
    if shown.keys() != trained.keys():
        return [f"recipe: {' and '.join(shown)}, trained on {' and '.join(trained)}"]
    return [
        f"{key if len(shown) == 1 else f'{recipe}, {key}'}: {settings.get(key, '(none)')!r}, "
        f"trained on {trained[recipe].get(key, '(none)')!r}"
        for recipe, settings in shown.items()
        for key in sorted(settings.keys() | trained[recipe].keys())
        if settings.get(key, "(none)") != trained[recipe].get(key, "(none)")
    ]


def _by_recipe(configuration: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Of each recipe that is read, skeleton, version and settings, but for which views."""
    parts = configuration.get(JOINED, [configuration])
    return {part["recipe"]["name"]: _what_it_shows(part) for part in parts}


def _what_it_shows(configuration: Mapping[str, Any]) -> dict[str, Any]:
    recipe = configuration["recipe"]
    draws_views = issubclass(get_recipe(recipe["name"]), ViewRecipe)
    left_out = _OF_VIEWS | _OF_CACHES if draws_views else _OF_VIEWS
    settings = {key: recipe["settings"][key] for key in recipe["settings"].keys() - left_out}
    # The skeleton of the arrays, whatever a setting of that name says of the poses' own one.
    return {**settings, "version": recipe["version"], "skeleton": configuration["skeleton"]}


def _require_finished(run: RunFolder, num_epochs_done: int) -> None:
    num_epochs = run.identity["config"]["epochs"]
    if num_epochs_done < num_epochs:
        raise InputError(
            f"{run.root} has finished {num_epochs_done} of {num_epochs} epochs; train again with "
            "the same settings, and it goes on from there"
        )
