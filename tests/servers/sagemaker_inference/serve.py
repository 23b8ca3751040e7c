"""AWS's sagemaker-inference toolkit and multi-model-server: PORT, VERSION (0 or 1), FOLDER.

The model is a logistic regression; its two versions are fitted to halves of the same data.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np


def fitted(version: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weights and intercept, by Newton's method."""
    rng = np.random.default_rng(11)
    features = np.column_stack([rng.normal(size=(400, 4)), np.ones(400)])
    score = features @ [1.0, -2.0, 0.5, 0.0, 0.2] + rng.logistic(size=400)
    rows, truth = features[version::2], (score > 0)[version::2]
    weights = np.zeros(5)
    for _ in range(20):
        chance = 1 / (1 + np.exp(-(rows @ weights)))
        hessian = rows.T @ (rows * (chance * (1 - chance))[:, None]) + 0.01 * np.eye(5)
        weights += np.linalg.solve(hessian, rows.T @ (truth - chance) - 0.01 * weights)
    return weights


def main() -> None:
    port, version, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    code = folder / "model" / "code"
    code.mkdir(parents=True)
    np.save(folder / "model" / "weights.npy", fitted(version))
    shutil.copy(Path(__file__).with_name("inference.py"), code)
    os.environ |= {
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_BIND_TO_PORT": port,
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    os.chdir(folder)  # where it writes its logs
    from sagemaker_inference import model_server  # type: ignore[import-not-found]

    model_server.MMS_CONFIG_FILE = str(folder / "mms.properties")  # not the machine's /etc
    model_server.start_model_server()


if __name__ == "__main__":
    main()
