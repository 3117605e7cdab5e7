"""The same program as if on a plainer processor: without its wide instructions numpy, BLAS and the
C library take other paths through exponentials, sums and products."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np


def outputs(script: str) -> set[str]:
    """What a Python script prints on this processor and on a plainer one; one text if alike."""
    core = np.core._multiarray_umath
    wide = [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
    here = Path(__file__).parent
    plain = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(wide),
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-AVX",
    }
    own = {name: value for name, value in os.environ.items() if name not in plain}
    own["PYTHONPATH"] = os.pathsep.join([str(here), str(here.parent)])
    printed = set()
    for surroundings in (own, {**own, **plain}):
        ran = subprocess.run(
            [sys.executable, "-c", script], env=surroundings, capture_output=True, check=True,
            text=True,
        )  # fmt: skip
        printed.add(ran.stdout.strip())
    return printed
