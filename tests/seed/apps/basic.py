"""The seed's example "Basic WebSocket Handler", as it stands there; its imports are completed."""

import quart_plug

quart_plug.install_as_quart()

from quart.exceptions import ConnectionClosed
from quart import Quart, websocket

app = Quart(__name__)

@app.websocket('/ws')
async def ws():
    # Accept the connection
    await websocket.accept()
    
    try:
        while True:
            # Receive message from client
            message = await websocket.receive()
            
            # Echo message back to client
            await websocket.send(f"Echo: {message}")
            
    except ConnectionClosed:
        print("WebSocket connection closed")
