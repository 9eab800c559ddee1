"""The seed's example "WebSocket with Heartbeat/Ping-Pong", as it stands there; its imports are completed."""

import quart_plug

quart_plug.install_as_quart()

import time

from quart.exceptions import ConnectionClosed
from quart import Quart, websocket
import asyncio

app = Quart(__name__)

@app.websocket('/ws/heartbeat')
async def heartbeat_websocket():
    await websocket.accept()
    
    # Start heartbeat task
    heartbeat_task = asyncio.create_task(heartbeat_handler())
    
    try:
        while True:
            # Receive messages with timeout
            try:
                message = await asyncio.wait_for(
                    websocket.receive(), 
                    timeout=30.0  # 30 second timeout
                )
                
                # Handle regular messages
                if message == 'ping':
                    await websocket.send('pong')
                else:
                    # Process other messages
                    await websocket.send(f"Received: {message}")
                    
            except asyncio.TimeoutError:
                # Send ping to check if client is still alive
                await websocket.send('ping')
                
    except ConnectionClosed:
        print("Client disconnected")
    finally:
        # Cancel heartbeat task
        heartbeat_task.cancel()
        try:
            await heartbeat_task
        except asyncio.CancelledError:
            pass

async def heartbeat_handler():
    """Send periodic heartbeat messages."""
    try:
        while True:
            await asyncio.sleep(20)  # Send heartbeat every 20 seconds
            await websocket.send_json({
                'type': 'heartbeat',
                'timestamp': time.time()
            })
    except (ConnectionClosed, asyncio.CancelledError):
        pass
