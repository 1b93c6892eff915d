"""The papers' trainings by name."""

from __future__ import annotations

from posemill.errors import InputError
from posemill.pipelines.presets import jmrn, pa3d, parnet, poseconv3d, potion, rgbpose, vpn
from posemill.pipelines.presets.base import Preset
from posemill.settings import did_you_mean

__all__ = ["PRESETS", "Preset", "get_preset"]

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for presets in (
        *(potion.PRESETS, jmrn.PRESETS, pa3d.PRESETS, poseconv3d.PRESETS),
        *(rgbpose.PRESETS, vpn.PRESETS, parnet.PRESETS),
    )
    for preset in presets
}


def get_preset(name: str) -> Preset:
    """The preset called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in PRESETS:
        raise InputError(
            f"no preset is called {name!r}{did_you_mean(name, PRESETS)}; there are: "
            f"{', '.join(sorted(PRESETS))}"
        )
    return PRESETS[name]
