"""The seed's example "WebSocket with Authentication", as it stands there; its imports are completed, and its helper function is filled in."""

import quart_plug

quart_plug.install_as_quart()

from quart.exceptions import ConnectionClosed
from quart import Quart, websocket, abort

app = Quart(__name__)

@app.websocket('/secure/ws')
async def secure_websocket():
    # Check authentication before accepting
    auth_token = websocket.args.get('token')
    if not auth_token or not validate_token(auth_token):
        await websocket.close(code=1008, reason="Authentication required")
        return
    
    # Accept authenticated connection
    await websocket.accept()
    
    try:
        while True:
            message = await websocket.receive_json()
            
            # Handle authenticated message
            response = await process_authenticated_message(message, auth_token)
            await websocket.send_json(response)
            
    except ConnectionClosed:
        print(f"Authenticated client disconnected: {auth_token}")

def validate_token(token):
    # Implement token validation logic
    return token == "valid_token"

async def process_authenticated_message(message, token):
    # Process message with authentication context
    return {
        'status': 'processed',
        'data': message,
        'user': get_user_from_token(token)
    }

def get_user_from_token(token):
    return {"valid_token": "ada"}[token]
