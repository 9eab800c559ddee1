"""pydepi-quart: scoped services in views, disposed of at the end of the request."""

from depi import ServiceCollection
from depi_quart import QuartInjector
from quart import Quart

events = []


class Settings:
    greeting = "Hello"


class Greeter:
    def __init__(self, settings: Settings):
        self.settings = settings
        events.append("made")

    def greet(self, name):
        return f"{self.settings.greeting} {name}"

    def dispose(self):
        events.append("disposed")


async def test_services():
    services = ServiceCollection()
    services.add_singleton(Settings)
    services.add_scoped(Greeter)
    app = Quart("depi_program")
    injector = QuartInjector(services.build_provider(), param_name="container")
    injector.setup(app)

    @app.get("/<name>")
    @injector.inject
    async def index(name, container):
        assert container.resolve(Greeter) is container.resolve(Greeter)
        return container.resolve(Greeter).greet(name)

    client = app.test_client()
    assert await (await client.get("/Ada")).get_data(as_text=True) == "Hello Ada"
    assert await (await client.get("/Grace")).get_data(as_text=True) == "Hello Grace"
    assert events == ["made", "disposed"] * 2
