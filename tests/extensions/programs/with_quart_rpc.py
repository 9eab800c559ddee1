"""quart-rpc: functions called by name, with the session and the host checked."""

from quart import Blueprint, Quart, session
from quart_rpc.latest import RPC, RPCAuthSessionKey, RPCRequest, RPCResponse


def add_numbers(data):
    return RPCResponse.success(sum(data), "added")


async def test_functions_are_called_by_name():
    app = Quart("rpc_program")
    app.secret_key = "a secret"
    RPC(app, url_prefix="/rpc", functions={"add_numbers": add_numbers})
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")
    RPC(
        blueprint,
        url_prefix="/rpc",
        session_auth=RPCAuthSessionKey("logged_in", [True]),
        functions={"add_numbers": add_numbers},
    )
    app.register_blueprint(blueprint)

    @app.get("/login")
    async def login():
        session["logged_in"] = True
        return ""

    client = app.test_client()
    call = RPCRequest.build(function="add_numbers", data=[1, 2, 3])
    answer = await (await client.post("/rpc", json=call)).get_json()
    assert (answer["ok"], answer["data"], answer["message"]) == (True, 6, "added")
    answer = await (await client.post("/rpc", json=RPCRequest.build(function="nothing"))).get_json()
    assert answer["ok"] is False
    assert (await (await client.post("/bp/rpc", json=call)).get_json())["ok"] is False
    await client.get("/login")
    assert (await (await client.post("/bp/rpc", json=call)).get_json())["data"] == 6
