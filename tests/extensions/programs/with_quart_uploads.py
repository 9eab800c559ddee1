"""quart-uploads: sets of uploads, their extensions, URLs and the blueprint that serves them."""

from io import BytesIO

import pytest
from quart import Quart, request
from quart.datastructures import FileStorage
from quart_uploads import FE, UploadNotAllowed, UploadSet, configure_uploads


@pytest.fixture
def app(tmp_path):
    app = Quart("uploads")
    app.config.update(UPLOADED_PHOTOS_DEST=str(tmp_path / "photos"), UPLOADED_TEXTS_DEST=str(tmp_path / "texts"))
    photos, texts = UploadSet("photos", FE.Images), UploadSet("texts", FE.Text)
    configure_uploads(app, (photos, texts))

    @app.post("/photo")
    async def photo():
        name = await photos.save((await request.files)["photo"])
        return {"name": name, "url": photos.url(name)}

    @app.errorhandler(UploadNotAllowed)
    async def refused(error):
        return "refused", 415

    return app


def file(content, name):
    return {"photo": FileStorage(BytesIO(content), filename=name, content_type="image/png")}


async def test_a_file_is_saved_and_served(app, tmp_path):
    client = app.test_client()
    response = await client.post("/photo", files=file(b"an image", "me.png"))
    assert await response.get_json() == {"name": "me.png", "url": "http://localhost/_uploads/photos/me.png"}
    assert (tmp_path / "photos" / "me.png").read_bytes() == b"an image"
    response = await client.get("/_uploads/photos/me.png")
    assert (response.status_code, response.mimetype, await response.get_data()) == (200, "image/png", b"an image")
    response = await client.post("/photo", files=file(b"another", "me.png"))
    assert (await response.get_json())["name"] == "me_1.png"


async def test_other_files_are_refused(app):
    response = await app.test_client().post("/photo", files=file(b"...", "me.exe"))
    assert response.status_code == 415
    assert (await app.test_client().get("/_uploads/photos/none.png")).status_code == 404
    assert (await app.test_client().get("/_uploads/other/none.png")).status_code == 404
