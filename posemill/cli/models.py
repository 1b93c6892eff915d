"""The command `models`: published weights, what is known of them, and what of it is here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from posemill.cli.download_progress import DownloadProgress
from posemill.cli.options import JsonFlag, finish, size
from posemill.errors import InputError
from posemill.models.estimators.registry import estimator_names
from posemill.models.estimators.weights.cached import (
    WeightsState,
    cached_weights,
    pull_command,
    weights_folder,
    weights_state,
)
from posemill.models.estimators.weights.published import (
    HubRepo,
    Packaged,
    PublishedWeights,
    WebFile,
    Wheel,
)
from posemill.models.estimators.weights.pull import pull_with_companions
from posemill.models.estimators.weights.tables import (
    all_published,
    choose_published,
    named_weights,
    published_by,
)

models_app = typer.Typer(help="The estimators' weights: published ones, and those on this machine.")

TrustFlag = Annotated[
    bool,
    typer.Option(
        "--trust", help="Read a pickle, once, to convert it: it can run code of whoever made it."
    ),
]


def register(app: typer.Typer) -> None:
    models_app.command(name="list")(models_list_command)
    models_app.command(name="show")(models_show_command)
    models_app.command(name="pull")(models_pull_command)
    models_app.command(name="convert")(models_convert_command)
    app.add_typer(models_app, name="models")


def models_list_command(json: JsonFlag = False) -> None:
    """List published weights: licence, size, published accuracy, whether they are here.

    Every file that is here is read and compared with its hash.
    """
    published = all_published()
    rows = [_summary(weights) for weights in published]
    own = sorted(set(estimator_names()) - {weights.estimator for weights in published})
    cells = [("estimator", "name", "licence", "size", "here", "published accuracy")]
    cells += [_cells(weights, row) for weights, row in zip(published, rows, strict=True)]
    cells += [(name, "-", "-", "-", "-", "local weights only: --weights PATH") for name in own]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    lines.append("* taken where no name is given; `posemill models show NAME` tells more")
    finish("\n".join(lines), {"models": rows, "without_published_weights": own}, as_json=json)


def models_show_command(
    name: Annotated[str, typer.Argument(help="Of weights, or of an estimator: its default ones.")],
    json: JsonFlag = False,
) -> None:
    """Show all that is known of published weights, and where they are on this machine."""
    published = named_weights(name)
    summary = _summary(published) | _details(published)
    if summary["state"] == WeightsState.PRESENT:
        cached = cached_weights(published)
        summary["sha256"] = dict(cached.sha256)
        if cached.manifest:
            summary["pulled"] = f"{cached.manifest.pulled_at} from {cached.manifest.source}"
    finish("\n".join(_labelled(summary)), summary, as_json=json)


def models_pull_command(
    estimator: Annotated[str, typer.Argument(help="The estimator whose weights to fetch.")],
    name: Annotated[
        str | None, typer.Option(help="Of its weights, as `models list` shows them [its default].")
    ] = None,
    trust: TrustFlag = False,
    json: JsonFlag = False,
) -> None:
    """Fetch an estimator's weights, once, with a detector's where it needs one.

    They are compared with the published hash. Where none is published, what comes is
    trusted this once, and its hash is kept: workers refuse a file that is another one.
    """
    published = choose_published(estimator, name)
    with DownloadProgress(published.name) as progress:
        cached = pull_with_companions(published, trust=trust, on_bytes=progress)
    summary = {
        "estimator": estimator,
        "name": published.name,
        "folder": str(cached.folder),
        "path": str(cached.path),
        "sha256": dict(cached.sha256),
        "hash_published": published.has_hash,
    }
    trusted = "" if published.has_hash else "; no hash is published, so what came first is trusted"
    line = f"{estimator}: weights {published.name} in {cached.folder}{trusted}"
    finish(line, summary, as_json=json)


def models_convert_command(
    source: Annotated[Path, typer.Argument(help="A pickled checkpoint of openpifpaf.")],
    target: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    trust: TrustFlag = False,
    json: JsonFlag = False,
) -> None:
    """Turn a checkpoint of openpifpaf into a file of tensors that runs nothing when read."""
    from posemill.models.estimators.openpifpaf.convert import convert_checkpoint

    if target.exists():
        raise InputError(f"{target} exists; name another file with -o, or remove it")
    convert_checkpoint(source, target, trust=trust)
    summary = {"source": str(source), "target": str(target), "bytes": target.stat().st_size}
    finish(f"{target}: converted from {source}; give it with --weights", summary, as_json=json)


def _summary(published: PublishedWeights) -> dict[str, Any]:
    state, problem = weights_state(published)
    return {
        "estimator": published.estimator,
        "name": published.name,
        "default": published.default,
        "licence": published.licence,
        "bytes": published.num_bytes,
        "accuracy": published.accuracy,
        "state": state,
        "problem": problem,
        "path": str(weights_folder(published) / published.entry),
    }


def _details(published: PublishedWeights) -> dict[str, Any]:
    return {
        "accuracy_source": published.accuracy_source,
        "parameters": published.num_parameters,
        "skeleton": published.skeleton,
        "source": _source(published),
        "files": [file.name for file in published.files],
        "pulled_along": [f"{estimator}: {name}" for estimator, name in published.companions],
        "install": published.install,
        "get": "" if isinstance(published.source, Packaged) else pull_command(published),
        "note": published.note,
    }


def _source(published: PublishedWeights) -> str:
    match published.source:
        case WebFile(url=url):
            return url
        case HubRepo(repo_id=repo_id, revision=revision):
            return f"https://huggingface.co/{repo_id}/tree/{revision}"
        case Wheel(requirement=requirement):
            return f"the wheel {requirement}"
        case Packaged():
            return "in this package"


def _cells(published: PublishedWeights, row: dict[str, Any]) -> tuple[str, str, str, str, str, str]:
    packaged = isinstance(published.source, Packaged)
    num_bytes = "-" if published.num_bytes is None else size(published.num_bytes)
    return (
        published.estimator,
        published.name + "*" * (published.default and len(published_by(published.estimator)) > 1),
        published.licence,
        num_bytes,
        "packaged" if packaged and not row["problem"] else str(row["state"]),
        published.accuracy,
    )


def _labelled(summary: dict[str, Any]) -> list[str]:
    """A line for each thing that there is to tell."""
    lines = []
    for key, value in summary.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, dict):
            text = "".join(f"\n  {name}  {entry}" for name, entry in value.items())
        elif isinstance(value, list):
            text = " " + ", ".join(value)
        else:
            text = f" {'yes' if value is True else 'no' if value is False else value}"
        lines.append(f"{key.replace('_', ' ')}:{text}")
    return lines
