"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# In CI the examples are the same in every run: a failure there is the change's. Elsewhere each run looks for new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")
