"""The alias as a plugin of pytest's, `pytest -p quart_plug.as_quart`; or as the first import of a program.

Importing this module turns the alias on, here and in the processes that are started from here. Knows nothing of the
alias but how to turn it on.
"""

from __future__ import annotations

import os
import sys

from .compat import VARIABLE, install_as_quart


def _install() -> None:
    try:
        install_as_quart()
    except RuntimeError as error:
        pytest = sys.modules.get("pytest")
        if pytest is None:
            raise
        raise pytest.UsageError(str(error)) from None  # which pytest shows as one message
    os.environ[VARIABLE] = "1"


_install()
