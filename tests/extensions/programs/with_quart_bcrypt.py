"""quart-bcrypt: hashes, also on another thread."""

from quart import Quart
from quart_bcrypt import Bcrypt, async_check_password_hash, async_generate_password_hash


async def test_hashes():
    app = Quart("bcrypt_program")
    app.config["BCRYPT_LOG_ROUNDS"] = 4
    bcrypt = Bcrypt(app)

    @app.get("/")
    async def index():
        hashed = bcrypt.generate_password_hash("hunter2").decode()
        later = await async_generate_password_hash("hunter2", 4)
        return [
            hashed.startswith("$2b$04$"),
            bcrypt.check_password_hash(hashed, "hunter2"),
            bcrypt.check_password_hash(hashed, "hunter3"),
            await async_check_password_hash(later, "hunter2"),
            await async_check_password_hash(later, "hunter3"),
        ]

    response = await app.test_client().get("/")
    assert await response.get_json() == [True, True, False, True, False]
