"""The identity of a model: recognises another one in the same folder. Cheap for any size."""

import hashlib
from pathlib import Path

from fwtui.disk.files import is_regular

# What decides the text beside the weights; those that a model does not have do not count.
_SMALL_FILES = "config.json preprocessor_config.json tokenizer.json vocabulary.json vocabulary.txt"
_WEIGHTS = "model.bin"


def model_identity(folder: Path) -> str:
    """Hex digest of configuration and vocabulary, and of size and time of the weights.

    Raises OSError.
    """
    found = hashlib.blake2b(digest_size=16)
    for name in _SMALL_FILES.split():
        path = folder / name
        if is_regular(path):
            found.update(f"{name}\0".encode() + hashlib.blake2b(path.read_bytes()).digest())
    weights = (folder / _WEIGHTS).stat()
    found.update(f"{weights.st_size} {weights.st_mtime_ns}".encode())
    return found.hexdigest()
