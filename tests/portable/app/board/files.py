"""Uploads with their limits, and downloads: conditional, in ranges, from a folder."""

from __future__ import annotations

import hashlib
from io import BytesIO

from quart import Blueprint, abort, current_app, make_response, request, send_file, send_from_directory
from werkzeug.utils import secure_filename

files = Blueprint("files", __name__, url_prefix="/files")


@files.post("/")
async def upload():
    sent = await request.files
    form = await request.form
    kept = []
    for file in sent.getlist("picture"):
        name = secure_filename(file.filename)
        await file.save(current_app.store.folder / name)
        kept.append(
            {
                "name": name,
                "type": file.content_type,
                "length": file.content_length,
                "extra": file.headers.get("X-Extra"),
            }
        )
    return {"kept": kept, "caption": form.get("caption"), "fields": sorted(form), "files": sorted(sent)}, 201


@files.post("/digest")
async def digest():
    """Reads the body as it comes."""
    seen = hashlib.sha256()
    async for part in request.body:
        seen.update(part)
    return {"sha256": seen.hexdigest()}


@files.post("/small")
async def small():
    request.max_content_length = 10
    return {"length": len(await request.get_data())}


@files.post("/raw")
async def raw():
    data = await request.get_data(as_text=True, cache=True)
    again = await request.data
    return {"text": data, "again": again.decode(), "length": request.content_length, "type": request.mimetype}


@files.get("/<path:name>")
async def download(name):
    return await send_from_directory(
        current_app.store.folder, name, conditional=True, as_attachment="attach" in request.args
    )


@files.get("/named/<path:name>")
async def named(name):
    path = current_app.store.folder / name
    if not path.exists():
        abort(404)
    return await send_file(
        path,
        mimetype="text/x-board",
        as_attachment=True,
        attachment_filename="named.txt",
        cache_timeout=30,
        add_etags=True,
        conditional=True,
        last_modified=None,
    )


@files.get("/memory")
async def memory():
    return await send_file(
        BytesIO(b"0123456789"), mimetype="text/plain", attachment_filename="ten.txt", conditional=True
    )


@files.get("/plain")
async def plain():
    response = await send_file(current_app.store.folder / "notes.txt", mimetype="text/plain")
    response.content_language.add("en")
    return response


@files.get("/made")
async def made():
    response = await make_response(b"made of bytes", 203, {"X-Made": "yes"})
    response.set_etag("of-my-own", weak=True)
    response.cache_control.max_age = 9
    response.cache_control.public = True
    response.vary.add("X-Device")
    response.accept_ranges = "bytes"
    return await response.make_conditional(request, accept_ranges=True)
