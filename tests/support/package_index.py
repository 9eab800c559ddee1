"""A package index for tests: what pip and twine need of one, over HTTP, in a folder.

    with PackageIndex(folder) as index:
        twine upload --repository-url {index.upload_url} …
        pip install --index-url {index.simple_url} …

Uploading is the form of PyPI's legacy API; the pages are those of PEP 503, with PEP 592's `data-yanked`.
"""

from __future__ import annotations

import hashlib
import html
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.utils import secure_filename


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class PackageIndex:
    """uploads   the names of the files that were uploaded, in order.
    yanked    version -> why it was yanked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads: list[str] = []
        self.yanked: dict[str, str] = {}
        self._server: BaseWSGIServer | None = None

    def __enter__(self) -> PackageIndex:
        self.folder.mkdir(exist_ok=True)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        threading.Thread(target=self._server.serve_forever, name="package index", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def upload_url(self) -> str:
        return f"{self.url}/legacy/"

    @property
    def simple_url(self) -> str:
        return f"{self.url}/simple/"

    @Request.application
    def _answer(self, request: Request) -> Response:
        if request.path == "/legacy/" and request.method == "POST":
            return self._take(request)
        project = re.fullmatch(r"/simple/([a-z0-9-]+)/", request.path)
        if project is not None:
            return self._page(project[1])
        file = self.folder / secure_filename(request.path.removeprefix("/files/"))
        if request.path.startswith("/files/") and file.is_file():
            return Response(file.read_bytes(), mimetype="application/octet-stream")
        return Response(status=404)

    def _take(self, request: Request) -> Response:
        upload = request.files["content"]
        content = upload.read()
        name = secure_filename(upload.filename or "")
        if request.authorization is None:
            return Response("who are you?", 403)
        if (self.folder / name).exists():
            return Response(f"{name} exists already", 400)  # as PyPI: a file is never replaced
        if hashlib.sha256(content).hexdigest() != request.form["sha256_digest"]:
            return Response("the digest is another", 400)
        (self.folder / name).write_bytes(content)
        self.uploads.append(name)
        return Response(status=200)

    def _page(self, project: str) -> Response:
        links = []
        for path in sorted(self.folder.iterdir()):
            parts = path.name.removesuffix(".tar.gz").split("-")
            if re.sub(r"[-_.]+", "-", parts[0]).lower() == project:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                why = self.yanked.get(parts[1])
                yanked = "" if why is None else f' data-yanked="{html.escape(why)}"'
                links.append(f'<a href="/files/{path.name}#sha256={digest}"{yanked}>{path.name}</a>')
        if not links:
            return Response(status=404)
        return Response(f"<!doctype html><title>{project}</title>{'<br>'.join(links)}", mimetype="text/html")
