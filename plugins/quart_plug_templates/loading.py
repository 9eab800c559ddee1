"""Where templates are looked for.

In the app's folder, then in each blueprint's in the order of registration, then in the folders of plugins
(the hook `template_folders`), then by their loaders (`template_loaders`). The first template of a name is taken.

With EXPLAIN_TEMPLATE_LOADING every place is looked at, and what was found where is logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, TemplateNotFound

if TYPE_CHECKING:
    from quart_plug import Quart

Source = tuple[str, str | None, Callable[[], bool] | None]


def folder_loader(folder: str) -> FileSystemLoader:
    """The loader of one folder."""
    return FileSystemLoader(folder)


class DispatchingJinjaLoader(BaseLoader):
    """Asks the loaders of the app, of its blueprints and of its plugins."""

    def __init__(self, app: Quart) -> None:
        self.app = app
        self._folders: dict[str, FileSystemLoader] = {}
        self._of_plugins: list[tuple[str, Any]] = []
        self._asked_in = -1  # the generation of the app's hooks

    def get_source(self, environment: Environment, template: str) -> Source:
        if self.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            return self._explained(environment, template)
        for _, loader in self._loaders():
            try:
                return loader.get_source(environment, template)  # type: ignore[no-any-return]
            except TemplateNotFound:
                continue
        raise self._not_found(template)

    def _not_found(self, template: str) -> TemplateNotFound:
        """The error, with a note on where it was looked for."""
        places = [f"{place} ({where})" if (where := _where(loader)) else place for place, loader in self._loaders()]
        error = TemplateNotFound(template)
        error.add_note(f"Looked for {template!r} in {', '.join(places) or 'no folder at all'}.")
        return error

    def list_templates(self) -> list[str]:
        return sorted({name for _, loader in self._loaders() for name in loader.list_templates()})

    def _loaders(self) -> Iterator[tuple[str, Any]]:
        app = self.app
        if app.jinja_loader is not None:
            yield f"the application {app.name!r}", app.jinja_loader
        for blueprint in app.iter_blueprints():
            if blueprint.jinja_loader is not None:
                yield f"the blueprint {blueprint.name!r}", blueprint.jinja_loader
        for result in app.plugin_hooks.results("template_folders", app):
            for folder in [result.value] if isinstance(result.value, str) else result.value:
                folder = str(folder)
                loader = self._folders.get(folder)
                if loader is None:
                    loader = self._folders[folder] = FileSystemLoader(folder)
                yield f"the {result.origin}", loader
        yield from self._loaders_of_plugins()

    def _loaders_of_plugins(self) -> list[tuple[str, Any]]:
        """Asked for once, until the plugins change: a loader may keep what it has loaded."""
        hooks = self.app.plugin_hooks
        if self._asked_in != hooks.generation:
            results = hooks.results("template_loaders", self.app)
            self._of_plugins = [(f"the {result.origin}", loader) for result in results for loader in result.value]
            self._asked_in = hooks.generation
        return self._of_plugins

    def _explained(self, environment: Environment, template: str) -> Source:
        found: list[tuple[str, Source]] = []
        lines = [f"Looking for the template {template!r}:"]
        for number, (place, loader) in enumerate(self._loaders(), 1):
            where = _where(loader)
            try:
                source = loader.get_source(environment, template)
            except TemplateNotFound:
                outcome = "not there"
            else:
                outcome = f"found ({source[1] or 'no file'})"
                found.append((place, source))
            lines.append(f"{number:>4}. {place}, {where}: {outcome}")
        if not found:
            lines.append("Nowhere. Is template_folder right, and is the blueprint registered?")
        elif len(found) > 1:
            lines.append(f"In several places; the one of {found[0][0]} is taken.")
        self.app.logger.info("\n".join(lines))
        if not found:
            raise self._not_found(template)
        return found[0][1]


def _where(loader: Any) -> str:
    """The folders of a loader, or of what kind it is."""
    return ", ".join(map(str, getattr(loader, "searchpath", ()))) or type(loader).__name__
