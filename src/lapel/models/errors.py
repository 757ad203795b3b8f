"""What can go wrong with language models.

ModelError
+-- ModelUnknown      no model of that name is in the list
+-- ModelRefused      it cannot be added as it was named
+-- ModelAltered      a file is not the one that was pinned
+-- EngineMissing     what runs it is not installed
+-- ModelFailed       it did not answer, or not with anything that can be used
"""

from __future__ import annotations

from typing import ClassVar

from lapel.failures import Code


class ModelError(Exception):
    """A language model could not be had; the text never holds what was said."""

    code: ClassVar[Code] = "model_failed"


class ModelUnknown(ModelError):
    code = "model_unknown"


class ModelRefused(ModelError):
    code = "model_refused"


class ModelAltered(ModelError):
    code = "model_altered"


class EngineMissing(ModelError):
    code = "engine_missing"


class ModelFailed(ModelError):
    code = "model_failed"
