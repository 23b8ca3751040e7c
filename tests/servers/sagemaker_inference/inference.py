"""What a container's author writes for AWS's toolkit: loading a model, and asking it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def model_fn(model_dir: str) -> Any:  # noqa: ANN401 - the toolkit hands it to predict_fn
    return np.load(Path(model_dir) / "weights.npy")


def predict_fn(data: Any, model: Any) -> Any:  # noqa: ANN401
    rows = np.atleast_2d(np.asarray(data, np.float64))
    return 1 / (1 + np.exp(-(rows @ model[:-1] + model[-1])))
