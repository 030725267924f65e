from __future__ import annotations

from tests.pipelines import event, pipeline  # noqa: F401 - fixtures of this folder
