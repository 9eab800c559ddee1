"""The files of a new plugin's distribution, as text.

Must not know: where they are written. `{{…}}` is replaced; see `new`.
"""

from __future__ import annotations

FILES: dict[str, str] = {}

FILES["pyproject.toml"] = """\
[build-system]
requires = ["hatchling>=1.24"]
build-backend = "hatchling.build"

[project]
name = "{{distribution}}"
version = "0.1.0"
description = "{{name}}: a plugin for quart-plug"
readme = "README.md"
requires-python = ">=3.11"
license = "MIT"
license-files = ["LICENSE"]
keywords = ["quart-plug", "plugin"]
classifiers = ["Framework :: AsyncIO", "Typing :: Typed"]
dependencies = ["quart-plug>={{version}}"]

# This line is what makes it a plugin: its name, and the module that has its hooks.
[project.entry-points."quart_plug.plugins"]
{{name}} = "{{module}}"

[dependency-groups]
dev = ["mypy>=1.13", "pytest>=8.2", "pytest-asyncio>=0.24"]

[tool.hatch.build.targets.wheel]
packages = ["src/{{module}}"]

[tool.pytest.ini_options]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
testpaths = ["tests"]
filterwarnings = ["error"]

[tool.mypy]
strict = true
plugins = ["quart_plug.mypy_plugin"]
files = ["src", "tests"]
"""

FILES["README.md"] = """\
# {{distribution}}

A plugin for [quart-plug](https://pypi.org/project/quart-plug/): it writes a header into every response.

```
pip install {{distribution}}
quart-plug plugins enable {{name}}
```

## Configuration

| key | default | what it is |
| --- | --- | --- |
| `header` | `x-{{dashed}}` | the header's name |
| `value` | `hello` | what stands in it |

In pyproject.toml of the application:

```toml
[tool.quart-plug.config.{{name}}]
value = "good morning"
```

or in the environment: `QUART_PLUG_{{variable}}__VALUE="good morning"`. `quart-plug plugins show {{name}}` shows every
value, and where it comes from.

## Development

```
python -m venv .venv
.venv/bin/pip install --editable . --group dev
.venv/bin/pytest
.venv/bin/mypy
```
"""

FILES["LICENSE"] = """\
MIT License

Copyright (c) {{year}} the authors of {{distribution}}

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

FILES[".gitignore"] = """\
__pycache__/
.mypy_cache/
.pytest_cache/
.venv/
dist/
"""

FILES["src/{{module}}/py.typed"] = ""

FILES["src/{{module}}/__init__.py"] = '''\
"""{{name}}: writes a header into every response.

Every hook there is stands in quart-plug's reference; `quart-plug plugins hooks` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quart_plug import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart, Response
    from quart_plug.ctx import Context

# The plugin API that this was written for; relations to other plugins would stand here too.
__quart_plug__ = {"api": ">=1,<2"}


@dataclass(frozen=True)
class Config:
    """What can be configured; a wrong type or a misspelt key is an error when the application starts."""

    header: str = "x-{{dashed}}"
    """The header's name."""

    value: str = "hello"
    """What stands in it."""


@hookimpl
def configuration_schema(app: Quart) -> type[Config]:
    return Config


@hookimpl
async def request_after(ctx: Context, response: Response) -> None:
    """A response that is returned here would take the place of this one."""
    config = ctx.app.plugin_config(Config)
    response.headers[config.header] = config.value
'''

FILES["tests/test_{{module}}.py"] = '''\
"""The plugin in applications that have it, and nothing else, turned on."""

from __future__ import annotations

import pytest

from quart_plug.exceptions import PluginError
from quart_plug.testing import Plug


async def test_every_response_has_the_header(plug: Plug) -> None:
    app = plug("{{name}}")

    @app.get("/")
    async def index() -> str:
        return "here"

    client = app.test_client()
    assert (await client.get("/")).headers["x-{{dashed}}"] == "hello"
    assert (await client.get("/nowhere")).headers["x-{{dashed}}"] == "hello"


async def test_header_and_value_can_be_configured(plug: Plug) -> None:
    app = plug("{{name}}", config={"PLUGIN_CONFIG": {"{{name}}": {"header": "x-mine", "value": "good morning"}}})
    response = await app.test_client().get("/nowhere")
    assert response.headers["x-mine"] == "good morning"
    assert "x-{{dashed}}" not in response.headers


async def test_the_environment_is_stronger_than_the_default(plug: Plug) -> None:
    app = plug("{{name}}", environ={"QUART_PLUG_{{variable}}__VALUE": "from outside"})
    assert (await app.test_client().get("/nowhere")).headers["x-{{dashed}}"] == "from outside"


def test_a_misspelt_key_is_an_error(plug: Plug) -> None:
    with pytest.raises(PluginError, match="vlaue"):
        plug("{{name}}", config={"PLUGIN_CONFIG": {"{{name}}": {"vlaue": "x"}}})
'''
