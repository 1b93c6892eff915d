"""openpifpaf (Kreiss, Bertoni, Alahi): people by composite fields of the whole frame.

letter.py      a frame as the network's input      network.py     pictures to fields
decode.py      fields to people and dense maps     fields.py      what the fields hold
checkpoint.py  weights as plain data               convert.py     weights from openpifpaf's pickles
pickles.py     what a pickle would call            published.py   the checkpoints there are
settings.py    what can be set                     imports.py     openpifpaf beside newer libraries

The package openpifpaf is AGPL-3.0 and optional: imported when the estimator is built.
"""

from posemill.models.estimators.openpifpaf.estimator import create

__all__ = ["create"]
