"""The Grafana server, through grafana-client: the one module that has it imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from correlators.sigma.values import is_list, is_object
from infra.boards.parts.source import Json
from schemas.errors import Mistake, Unavailable
from schemas.grafana import GrafanaConfig
from schemas.times import SECOND

T = TypeVar("T")
MOST: Final = 5_000  # annotations that are looked at
INSTALL: Final = (
    "URLLIB3_NO_OVERRIDE=1 pip install --no-binary urllib3-future 'barograph[grafana]' urllib3"
)


class Server:
    """What is asked and written. Raises Mistake for what a person has to mend (exit 2).

    Unavailable (exit 3) is what may go better at the next try.
    """

    def __init__(self, config: GrafanaConfig) -> None:
        """Nothing is sent yet."""
        if config.url is None:
            raise Mistake("no Grafana is named; say --url, [grafana] url or BAROGRAPH_GRAFANA__URL")
        try:
            grafana = import_module("grafana_client")
            self._failure: type[Exception] = import_module("grafana_client.client").GrafanaException
        except ImportError as error:
            raise Mistake(f"the client of Grafana is not installed; {INSTALL}") from error
        address = urlsplit(config.url)
        self._url = config.url
        token = config.token.get_secret_value() if config.token else None
        self._api: Any = grafana.GrafanaApi(
            token,
            protocol=address.scheme,
            host=address.hostname,
            port=address.port,
            url_path_prefix=f"{address.path.strip('/')}/".lstrip("/"),
            verify=config.ca or True,
            timeout=config.timeout / SECOND,
            user_agent="barograph",
        )

    def folder(self, uid: str) -> Json | None:
        """The folder, or None."""
        return self._found(lambda: self._api.folder.get_folder(uid))

    def put_folder(self, uid: str, title: str, known: Json | None) -> None:
        """Make it, or give it another title."""
        if known is None:
            self._asked(f"folder {uid}", lambda: self._api.folder.create_folder(title, uid))
        else:
            self._asked(
                f"folder {uid}",
                lambda: self._api.folder.update_folder(uid, title, known.get("version")),
            )

    def source(self, uid: str) -> Json | None:
        """The data source, without its secrets, or None."""
        return self._found(lambda: self._api.datasource.get_datasource_by_uid(uid))

    def put_source(self, source: Json, known: Json | None) -> None:
        """Make it, or write it over."""
        sources, uid = self._api.datasource, source["uid"]
        if known is None:
            self._asked(f"data source {uid}", lambda: sources.create_datasource(source))
        else:
            self._asked(f"data source {uid}", lambda: sources.update_datasource_by_uid(uid, source))

    def dashboard(self, uid: str) -> Json | None:
        """`{"dashboard": ..., "meta": ...}`, or None."""
        return self._found(lambda: self._api.dashboard.get_dashboard(uid))

    def last_message(self, uid: str) -> str:
        """What was said of the newest version of a dashboard."""
        # The client sends `limit` in the body of a GET, where Grafana does not look.
        path = f"/dashboards/uid/{uid}/versions?limit=1"
        said = self._found(lambda: self._api.client.GET(path)) or {}
        newest: Json = next(iter(said.get("versions", ())), {})
        return str(newest.get("message") or "")

    def put_dashboard(self, dashboard: Json, folder: str, message: str, *, force: bool) -> None:
        """Write it; without `force` only over the version that `dashboard` says."""
        body = {
            "dashboard": dashboard,
            "folderUid": folder,
            "message": message,
            "overwrite": force,
        }
        self._asked(
            f"dashboard {dashboard['uid']}", lambda: self._api.dashboard.update_dashboard(body)
        )

    def group(self, folder: str, title: str) -> Json | None:
        """The group of alert rules, or None."""
        rules = self._api.alertingprovisioning
        return self._found(lambda: rules.get_rule_group(folder, title))

    def put_group(self, group: Json) -> None:
        """Write the group; rules that it does not name are deleted from it."""
        rules, folder, title = self._api.alertingprovisioning, group["folderUid"], group["title"]
        self._asked(f"alert rules {title}", lambda: rules.update_rule_group(folder, title, group))

    def annotations(self, tag: str) -> list[Json]:
        """All that carry the tag."""
        found = self._asked(
            "annotations",
            lambda: self._api.annotations.find_annotations(tags=[tag], limit=MOST),
        )
        return list(found)

    def add_annotation(self, time: int, text: str, tags: Sequence[str]) -> None:
        """`time` in milliseconds."""
        add = self._api.annotations.add_annotation
        self._asked("annotations", lambda: add(time_from=time, tags=list(tags), text=text))

    def delete_annotation(self, id_: int) -> None:
        """Take one away."""
        self._asked("annotations", lambda: self._api.annotations.delete_annotations_by_id(id_))

    def _found(self, ask: Callable[[], Any]) -> Json | None:
        """A thing; None if there is none. A page is no answer: the client gives it as text."""
        try:
            said = self._asked("", ask)
        except _AbsentError:
            return None
        if is_object(said):
            return said
        if is_list(said):  # versions of dashboards, before Grafana 11
            return {"versions": said}
        raise self._no_grafana()

    def _asked(self, what: str, ask: Callable[[], T]) -> T:
        """`what` is written, or "" for a question, of which 404 is an answer."""
        try:
            return ask()
        except self._failure as error:
            raise self._said(what, error) from error
        except OSError as error:  # the client lets those of its transport through
            if isinstance(error, ValueError):
                raise self._no_grafana() from error
            raise Unavailable(
                f"Grafana at {self._url} does not answer ({type(error).__name__}); start it, or"
                " mend [grafana] url, ca or timeout"
            ) from error

    def _no_grafana(self) -> Mistake:
        return Mistake(f"{self._url} answers with what is no JSON; is it the address of Grafana?")

    def _said(self, what: str, error: Any) -> Exception:  # noqa: ANN401 - of the client
        code, response = error.status_code, error.response
        message = response.get("message") if is_object(response) else None
        said = " ".join(str(message or response or error).split())[:200]
        of = f" ({what})" if what else ""
        match code:
            case 404 if not what:
                return _AbsentError()
            case 401:
                return Mistake(
                    f"Grafana at {self._url} does not know the token; make a service account token"
                    " there and say it in BAROGRAPH_GRAFANA__TOKEN or ..._TOKEN_FILE"
                )
            case 403:
                return Mistake(
                    f"Grafana does not let this token do it{of}: {said}; give its service account"
                    " the role Admin, or the rights that docs/boards.md lists"
                )
            case 412 | 409:
                return Unavailable(
                    f"somebody else changed it on the server at the same moment{of}: {said}; push"
                    " again"
                )
            case _ if 400 <= code < 500:
                return Mistake(f"Grafana refuses it{of}: {said}; mend that, or report it to us")
            case _:
                return Unavailable(f"Grafana at {self._url} fails{of}: {said}; try again later")


class _AbsentError(Exception):
    """There is no such thing on the server."""
