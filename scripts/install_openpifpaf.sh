#!/bin/sh
# Add openpifpaf (AGPL-3.0) to the environment of a Python that has posemill's torch:
#   scripts/install_openpifpaf.sh .venv/bin/python
# Its metadata asks for torch 1.13.1, so what it needs is installed first and it without its
# wishes. Its decoder is compiled against the torch that is there: g++ and a few minutes.
set -eu
python=$1
folder=$(dirname "$0")/..
"$python" -m pip install --quiet --constraint "$folder/constraints.txt" \
    setuptools wheel ninja torchvision pillow importlib_metadata pysparkling python-json-logger
"$python" -m pip install --quiet --no-build-isolation --no-deps openpifpaf==0.13.11
"$python" -c "from posemill.models.estimators.openpifpaf import imports
print('openpifpaf', imports.import_openpifpaf().__version__, 'is ready')"
