"""MessagePack beside JSON, for quart-plug.

What a view returns as a dictionary or list goes out as MessagePack to clients that prefer it, `request.get_json()`
reads it, and websockets speak it by the subprotocol "msgpack". The application does not change.

`MessagePack` is the codec, which can be used by itself.
"""

from .codec import Extended, MessagePack, TooMuch
from .integration import Settings, plugin

__all__ = ["Extended", "MessagePack", "Settings", "TooMuch", "plugin"]
