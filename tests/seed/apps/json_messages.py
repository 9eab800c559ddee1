"""The seed's example "JSON Message Handling", as it stands there; its imports are completed."""

import quart_plug

quart_plug.install_as_quart()

import time

from quart.exceptions import BadRequest, ConnectionClosed
from quart import Quart, websocket

app = Quart(__name__)

@app.websocket('/api/ws')
async def api_websocket():
    await websocket.accept()
    
    try:
        while True:
            # Receive JSON data
            data = await websocket.receive_json()
            
            # Process the message
            response = {
                'type': 'response',
                'original': data,
                'timestamp': time.time()
            }
            
            # Send JSON response
            await websocket.send_json(response)
            
    except ConnectionClosed:
        print("Client disconnected")
    except BadRequest as e:
        # Handle invalid JSON
        await websocket.send_json({
            'type': 'error',
            'message': 'Invalid JSON format'
        })
        await websocket.close(code=1003, reason="Invalid data format")
