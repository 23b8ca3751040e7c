"""`mlflow models serve` of a logistic regression: PORT, VERSION (0 or 1), FOLDER for the model.

The two versions are the same regression, the second one much more regularised.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import mlflow.sklearn  # type: ignore[import-not-found, unused-ignore]  # has its own venv
import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]


def main() -> None:
    port, version, folder = sys.argv[1:]
    rng = np.random.default_rng(7)
    features = rng.normal(size=(500, 4))
    score = features @ [1.0, -2.0, 0.5, 0.0] + rng.normal(size=500)
    model = LogisticRegression(C=(1.0, 0.002)[int(version)]).fit(features, score > 0.3)
    mlflow.sklearn.save_model(model, folder, pyfunc_predict_fn="predict_proba")
    serve = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", folder]
    serve += ["--host", "127.0.0.1", "--port", port, "--env-manager", "local"]
    # It starts uvicorn by name.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.execv(sys.executable, serve)  # noqa: S606 - our own interpreter, no shell


if __name__ == "__main__":
    main()
