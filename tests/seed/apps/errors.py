"""The seed's example "WebSocket Error Handling", as it stands there; its imports are completed."""

import quart_plug

quart_plug.install_as_quart()

import time
from quart import Quart, websocket
from quart.exceptions import BadRequest, ConnectionClosed

app = Quart(__name__)

@app.websocket('/ws/robust')
async def robust_websocket():
    try:
        await websocket.accept()
        
        while True:
            try:
                # Receive and validate message
                data = await websocket.receive_json()
                
                # Validate message structure
                if not isinstance(data, dict) or 'type' not in data:
                    await websocket.send_json({
                        'type': 'error',
                        'code': 'INVALID_FORMAT',
                        'message': 'Message must be JSON object with "type" field'
                    })
                    continue
                
                # Process different message types
                if data['type'] == 'echo':
                    await websocket.send_json({
                        'type': 'echo_response',
                        'original': data.get('message', '')
                    })
                elif data['type'] == 'time':
                    await websocket.send_json({
                        'type': 'time_response',
                        'timestamp': time.time()
                    })
                else:
                    await websocket.send_json({
                        'type': 'error',
                        'code': 'UNKNOWN_TYPE',
                        'message': f'Unknown message type: {data["type"]}'
                    })
                    
            except BadRequest:
                # Invalid JSON received
                await websocket.send_json({
                    'type': 'error',
                    'code': 'INVALID_JSON',
                    'message': 'Invalid JSON format'
                })
                
            except Exception as e:
                # Handle unexpected errors
                await websocket.send_json({
                    'type': 'error',
                    'code': 'INTERNAL_ERROR',
                    'message': 'An internal error occurred'
                })
                print(f"WebSocket error: {e}")
                
    except ConnectionClosed:
        print("WebSocket connection closed normally")
    except Exception as e:
        print(f"WebSocket handler error: {e}")
        try:
            await websocket.close(code=1011, reason="Internal server error")
        except:
            pass  # Connection might already be closed
