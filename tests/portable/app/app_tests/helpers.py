"""What the tests of the board say often."""

from __future__ import annotations


async def text(response) -> str:
    return await response.get_data(as_text=True)
