"""Which host an app answers for, and where it is mounted: as in Quart 0.22."""

from __future__ import annotations

import pytest

from quart_plug import Quart, request, url_for, websocket


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("example.com", "/", 200),
        ("EXAMPLE.com", "/", 200),
        ("example.com:80", "/", 200),
        ("other.com", "/", 404),
        ("127.0.0.1:5000", "/", 404),
        ("part.example.com", "/", 404),
        ("part.example.com", "/part", 200),
        ("example.com", "/part", 404),
        ("other.com", "/part", 404),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no rule will match")
async def test_server_name_decides_which_hosts_match(host: str, path: str, status: int) -> None:
    """Also without subdomain_matching; and what other hosts asked for before changes nothing."""
    app = Quart(__name__)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule("/part", "part", lambda: "part", subdomain="part")
    client = app.test_client()
    for other in ("example.com", "part.example.com"):
        for each in ("/", "/part"):
            await client.get(each, headers={"host": other})
    assert (await client.get(path, headers={"host": host})).status_code == status


async def test_a_context_of_a_mounted_app() -> None:
    """The path of test_request_context is the app's own, below `root_path`."""
    app = Quart(__name__)
    app.add_url_rule("/user/<int:id>", "user", lambda id: "")
    app.add_websocket("/chat/<room>", "chat", lambda room: None)
    async with app.test_request_context("/user/3", root_path="/mounted"):
        assert (request.path, request.endpoint, request.view_args) == ("/user/3", "user", {"id": 3})
        assert request.url == "http://localhost/mounted/user/3"
        assert url_for("user", id=4) == "/mounted/user/4"
    async with app.test_websocket_context("/chat/a", root_path="/mounted"):
        assert (websocket.path, websocket.endpoint) == ("/chat/a", "chat")
