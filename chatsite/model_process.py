"""The process of the local model, as the site keeps it: on a free port of the loopback, with a key made for this start."""

import os
import secrets
import sys
import time

from django.conf import settings

from chatsite import environment as env
from chatsite import local_model, setup
from chatsite.kept_process import KeptProcess, free_port

LOADING_SECONDS = 30.0  # how long a start waits for the model; one that loads longer is announced without its context window


class ModelProcess(KeptProcess):
    def __init__(self, model: local_model.LocalModel) -> None:
        self.model, self.port, self.key = model, free_port(), secrets.token_urlsafe(24)
        command = [sys.executable, "-m", "chatsite.local_model", str(model.path), model.model_id, str(self.port)]
        environment = {**os.environ, "LOCAL_MODEL_KEY": self.key, "PYTHONPATH": str(settings.BASE_DIR)}
        super().__init__("The local model", command, environment)

    @classmethod
    def from_environment(cls) -> "ModelProcess | None":
        """Return the process of the model that LOCAL_MODEL names, None for "off". Raises CannotServe."""
        model = local_model.find(env.text("LOCAL_MODEL"))
        return cls(model) if model else None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def introduce(self) -> None:
        """Wait until the model is loaded, and add it to the models people can pick."""
        setup.ensure_local(self.model, self.base_url, self.key, self.wait())

    def wait(self) -> int | None:
        """Return the context window that is served, in tokens; None where the model is still loading after LOADING_SECONDS."""
        deadline = time.monotonic() + LOADING_SECONDS
        while time.monotonic() < deadline:
            if window := local_model.context_window(self.port, self.key):
                return window
            time.sleep(0.05)
        return None
