"""Every hook of the kernel: when it is called, with what, and what its answer does. Signatures and documentation only.

A plugin implements a hook by a function of the same name, marked `@hookimpl`, that names as many of the arguments as it
wants. `sync` hooks must be plain functions; `async` hooks may be plain or coroutine functions.

A module for each subject; all of their hooks have their names here, in the order of the reference.
"""

from typing import Final

# isort: off
from .setting_up import *  # noqa: F403 - whatever is specified there
from .slots import *  # noqa: F403
from .serving import *  # noqa: F403
from .connections import *  # noqa: F403
from .requests import *  # noqa: F403
from .websockets import *  # noqa: F403
from .serialization import *  # noqa: F403
from .templates import *  # noqa: F403
from .background import *  # noqa: F403
from .rest import *  # noqa: F403
# isort: on

SUBJECTS: Final = (
    "setting_up",
    "slots",
    "serving",
    "connections",
    "requests",
    "websockets",
    "serialization",
    "templates",
    "background",
    "rest",
)
