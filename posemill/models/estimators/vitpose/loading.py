"""Builds a network of transformers from a folder on this machine, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch

from posemill.errors import MissingDependency, WeightsUnavailable
from posemill.models.estimators.torchvision_import import import_torchvision
from posemill.models.estimators.vitpose.folder import ModelFolder

PURPOSE = "the estimator 'vitpose'"


def load_network(folder: ModelFolder, class_name: str, device: torch.device) -> Any:
    """The network, in float32 and ready for inference.

    Args:
        class_name: of transformers, e.g. `VitPoseForPoseEstimation`.

    Raises:
        MissingDependency: transformers is not installed.
        WeightsUnavailable: the files are damaged, or do not fit the configuration.
    """
    kind = getattr(import_transformers(), class_name)
    with _quiet(), _unfit(folder):
        net, found = kind.from_pretrained(
            folder.path,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    if missing := sorted(found["missing_keys"]):
        raise WeightsUnavailable(
            f"the weights in {folder.path} lack {len(missing)} of the arrays of {class_name}, "
            f"{missing[0]} among them; give weights that belong to its config.json"
        )
    return net.eval().requires_grad_(False).to(device)


def import_transformers() -> Any:
    """The package; a torchvision that does not fit the torch here is no hindrance.

    Raises:
        MissingDependency: it is not installed.
        InputError: torchvision is installed, and does not fit.
    """
    if find_spec("transformers") is None:
        raise MissingDependency("transformers", "vitpose", PURPOSE)
    if find_spec("torchvision") is not None:
        # transformers imports it where it is there; the networks here use none of it.
        import_torchvision(PURPOSE, "pip install --upgrade torchvision")
    import transformers

    return transformers


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bars and its tables of arrays on standard error."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _unfit(folder: ModelFolder) -> Iterator[None]:
    """What transformers raises for files that it cannot use is one error here."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        ArithmeticError,
        ImportError,
        RuntimeError,
        SafetensorError,
        StrictDataclassError,
    ) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = lines[0] if lines else type(error).__name__
        raise WeightsUnavailable(
            f"the weights in {folder.path} cannot be used: {told}; they are damaged or do not "
            "belong to their config.json, so fetch them again or give others"
        ) from error
