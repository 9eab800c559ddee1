"""The seed's example "WebSocket Room/Broadcasting System", as it stands there; its imports are completed,
and with the one documented change: the set holds the connection, not the proxy."""

import quart_plug

quart_plug.install_as_quart()

import time

from quart.exceptions import ConnectionClosed
from quart import Quart, websocket
import asyncio

app = Quart(__name__)

# Store active connections
connections = set()

@app.websocket('/chat')
async def chat_websocket():
    await websocket.accept()
    connections.add(websocket._get_current_object())
    
    try:
        # Send welcome message
        await websocket.send_json({
            'type': 'system',
            'message': f'Connected! {len(connections)} users online.'
        })
        
        # Broadcast new user joined
        await broadcast_message({
            'type': 'user_joined',
            'count': len(connections)
        }, exclude=websocket)
        
        while True:
            # Receive message from this client
            data = await websocket.receive_json()
            
            # Broadcast to all other clients
            broadcast_data = {
                'type': 'message',
                'user': data.get('user', 'Anonymous'),
                'message': data.get('message', ''),
                'timestamp': time.time()
            }
            
            await broadcast_message(broadcast_data, exclude=websocket)
            
    except ConnectionClosed:
        pass
    finally:
        # Remove connection and notify others
        connections.discard(websocket._get_current_object())
        await broadcast_message({
            'type': 'user_left',
            'count': len(connections)
        })

async def broadcast_message(data, exclude=None):
    """Broadcast message to all connected clients."""
    if not connections:
        return
        
    # Create list of send tasks
    tasks = []
    for conn in connections.copy():  # Copy to avoid modification during iteration
        if conn != exclude:
            tasks.append(send_safe(conn, data))
    
    # Send to all connections concurrently
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)

async def send_safe(ws, data):
    """Send data to websocket, handling connection errors."""
    try:
        await ws.send_json(data)
    except ConnectionClosed:
        # Remove broken connection
        connections.discard(ws)
