import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from infra.dev.certificates import certify
from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.formats import reading
from tests.sinks.rsyslog import Rsyslog, Security, Stored, client, wait

ID = "ab" * 32
PLAIN = {"name": "siem", "kind": "syslog", "host": "127.0.0.1", "transport": "tcp"}


def sink(folder: Path, **entry: object) -> Sink:
    return connect(AnySink.model_validate(entry), folder)


@contextmanager
def listening(serve: Callable[[socket.socket], object], times: int = 1) -> Generator[int]:
    """A receiver that does with each of its connections what `serve` does; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def all_of_them() -> None:
            for _ in range(times):
                connection, _ = server.accept()
                serve(connection)

        thread = threading.Thread(target=all_of_them)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def everything(connection: socket.socket) -> bytes:
    """Read to the other side's end, then hang up."""
    with connection:
        data = b""
        while more := connection.recv(65536):
            data += more
    return data


def context(folder: Path) -> ssl.SSLContext:
    """That of a server whose certificate is by the authority in `folder`."""
    certify(folder)
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return found


def test_messages_are_counted_in_octets(tmp_path: Path) -> None:
    got: list[bytes] = []
    with listening(lambda connection: got.append(everything(connection))) as port:
        siem = sink(tmp_path, **PLAIN, port=port)
        hostile = alert(ID, 2, title=HOSTILE, system=HOSTILE)
        assert siem.write([alert(ID), hostile]) == Delivered(2)
    first, second = map(reading.message, reading.frames(got[0]))
    assert (first.priority, first.time, first.app) == (130, "2026-01-01T13:30:00.250Z", "barograph")
    assert (first.sd_id, first.data["id"], first.data["revision"]) == ("barograph@32473", ID, "1")
    assert orjson.loads(first.text) == {
        "type": "alert.opened",
        "timestamp": "2026-01-01T13:30:00.250000Z",
        "data": alert(ID).body,
    }
    assert orjson.loads(second.text)["data"] == hostile.body


@pytest.mark.parametrize("form", ["json", "cef", "leef"])
def test_a_real_receiver_stores_what_was_said(tmp_path: Path, form: str) -> None:
    with Rsyslog(tmp_path) as rsyslog:
        siem = sink(tmp_path, **rsyslog.entry, format=form)
        hostile = alert(ID, 3, "withdrawn", title=HOSTILE, summary=HOSTILE)
        assert siem.write([alert(ID, 2), hostile]) == Delivered(2)
    plain, told = rsyslog.stored()
    assert plain == Stored(
        130,
        "2026-01-01T13:30:00.250Z",
        socket.gethostname(),
        "barograph",
        "updated",
        f'[barograph@32473 id="{ID}" revision="2" state="provisional" status="open"'
        ' stage="warning" convergence="tool_poisoning" system="support-bot" severity="critical"'
        ' priority="87" confidence="0.91"]',
        plain.text,
    )
    assert told.msgid == "withdrawn"
    match form:
        case "json":
            assert orjson.loads(told.text)["data"] == hostile.body
        case "cef":
            assert reading.cef(told.text).fields["msg"].startswith('<b>"O\'Brien"|=]\\ \n')
            assert reading.cef(told.text).fields["outcome"] == "withdrawn"
        case _:
            assert reading.leef(told.text)[1]["title"] == HOSTILE


def test_a_large_alert_is_shortened_to_what_rsyslog_takes_whole(tmp_path: Path) -> None:
    timeline = [{"time": f"2026-01-01T12:00:{n:02}.000000Z", "text": HOSTILE} for n in range(60)]
    large = alert(ID, timeline=timeline, why=timeline * 3, summary="\u00fc\U0001f480" * 3000)
    with Rsyslog(tmp_path) as rsyslog:
        assert sink(tmp_path, **rsyslog.entry).write([large, alert("b")]) == Delivered(2)
    first, _second = rsyslog.stored()
    assert len(rsyslog.stored()) == 2
    told = orjson.loads(first.text)
    assert told["shortened"] == ["timeline", "path", "why", "evidence", "findings", "summary"]
    assert 'shortened="timeline path why evidence findings summary"' in first.data
    assert told["data"]["timeline"] == timeline[-1:]
    assert told["data"]["summary"] == "\u00fc\U0001f480" * 499 + "\u00fc\u2026"


def test_no_message_has_more_bytes_than_allowed(tmp_path: Path) -> None:
    got: list[bytes] = []
    with listening(lambda connection: got.append(everything(connection)), times=2) as port:
        siem = sink(tmp_path, **PLAIN, port=port, max_bytes=2048)
        monstrous = alert("c", system="\x01" * 600)
        delivered = siem.write([alert(ID, title="\U0001f480" * 900), monstrous, alert("d")])
    assert delivered.taken == 3
    (refused,) = delivered.refused
    assert refused == (monstrous, "even shortened it has more than 2048 bytes (max_bytes)")
    told = [orjson.loads(reading.message(one).text) for one in reading.frames(got[0] + got[1])]
    assert [one["data"]["id"] for one in told] == [ID, "d"]
    assert max(map(len, reading.frames(got[0] + got[1]))) <= 2048


def test_tls_trusts_who_is_named_and_nobody_else(tmp_path: Path) -> None:
    with Rsyslog(tmp_path, "tls") as rsyslog:
        assert sink(tmp_path, **rsyslog.entry).write([alert(ID)]) == Delivered(1)
        del (entry := rsyslog.entry)["ca"]
        delivered = sink(tmp_path, **entry).write([alert(ID, 2)])
        other = sink(tmp_path, **(rsyslog.entry | {"host": "127.1"})).write([alert(ID, 2)])
    assert (delivered.taken, delivered.misconfigured) == (0, True)
    assert delivered.problem is not None
    assert delivered.problem.endswith(
        "has a certificate that is not trusted: unable to get local issuer certificate"
    )
    assert (other.taken, other.misconfigured) == (0, True)
    assert len(rsyslog.stored()) == 1


def test_without_a_certificate_of_ours_nothing_counts_as_taken(tmp_path: Path) -> None:
    """It lets us in, takes what we send and only then looks who we are."""
    with Rsyslog(tmp_path, "mutual") as rsyslog:
        stranger = sink(tmp_path, **rsyslog.entry)
        for number in range(1, 40):
            delivered = stranger.write([alert(ID, revision + 1) for revision in range(number)])
            assert delivered.taken == 0
            assert delivered.problem is not None
            assert "give certificate and key" in delivered.problem
        assert rsyslog.stored() == []
        known = sink(tmp_path, **rsyslog.entry, **client(tmp_path))
        assert known.write([alert(ID)]) == Delivered(1)
    assert [one.msgid for one in rsyslog.stored()] == ["opened"]


def test_a_receiver_that_says_that_it_does_not_want_us_is_a_misconfiguration(
    tmp_path: Path,
) -> None:
    """By TLS 1.3 the handshake is over for us when the receiver looks at our certificate."""
    server = context(tmp_path)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(tmp_path / "ca.pem")

    def serve(connection: socket.socket) -> None:
        with connection, pytest.raises(ssl.SSLError):
            server.wrap_socket(connection, server_side=True)

    for _ in range(3):
        with listening(serve) as port:
            entry = PLAIN | {"transport": "tls", "ca": f"{tmp_path}/ca.pem", "port": port}
            delivered = sink(tmp_path, **entry).write([alert(ID)])
        assert (delivered.taken, delivered.misconfigured) == (0, True)
        assert delivered.problem == (
            f"tls://127.0.0.1:{port} refuses us: tlsv13 alert certificate required; mend"
            " certificate, key or ca"
        )


def test_a_receiver_that_speaks_no_tls_is_a_problem(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"220 mail.example ESMTP\r\n")

    certify(tmp_path)
    with listening(serve) as port:
        entry = PLAIN | {"transport": "tls", "ca": f"{tmp_path}/ca.pem", "port": port}
        delivered = sink(tmp_path, **entry).write([alert(ID)])
    assert delivered.taken == 0
    assert delivered.problem is not None
    assert "speaks no TLS that we understand" in delivered.problem


def test_what_was_not_read_is_not_taken(tmp_path: Path) -> None:
    def half(connection: socket.socket) -> None:
        with connection:
            connection.recv(100)

    with listening(half) as port:
        delivered = sink(tmp_path, **PLAIN, port=port).write([alert(ID)])
    assert delivered.taken == 0
    assert delivered.problem is not None
    assert "broke off" in delivered.problem
    nobody = sink(tmp_path, **PLAIN, port=port).write([alert(ID)])
    assert nobody.problem == f"tcp://127.0.0.1:{port} cannot be reached: Connection refused"
    assert not nobody.misconfigured


def test_who_hung_up_before_we_came_has_read_nothing(tmp_path: Path) -> None:
    hung_up = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.close()
        hung_up.set()

    with listening(serve) as port:
        siem = sink(tmp_path, **PLAIN, port=port)
        delivered = siem.write([alert(ID)])
        assert hung_up.wait(60)
    assert delivered.taken == 0


def test_a_receiver_that_does_not_hang_up_needs_a_word(tmp_path: Path) -> None:
    done = threading.Event()
    got: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            got.append(connection.recv(65536))
            assert done.wait(60)

    with listening(serve) as port:
        delivered = sink(tmp_path, **PLAIN, port=port, timeout="1s").write([alert(ID)])
        done.set()
    assert delivered.taken == 0
    assert delivered.problem is not None
    assert delivered.problem.endswith("if it never does, set confirm = false")
    done.clear()
    with listening(serve) as port:
        siem = sink(tmp_path, **PLAIN, port=port, confirm=False)
        assert siem.write([alert(ID)]) == Delivered(1)
        done.set()
    assert len(reading.frames(got[1])) == 1


@pytest.mark.parametrize("security", ["plain", "tls", "mutual"])
def test_confirm_may_be_left_out_with_a_real_receiver(tmp_path: Path, security: Security) -> None:
    with Rsyslog(tmp_path, security) as rsyslog:
        entry = rsyslog.entry | {"confirm": False}
        entry |= client(tmp_path) if security == "mutual" else {}
        batch = [alert(ID, revision + 1) for revision in range(500)]
        assert sink(tmp_path, **entry).write(batch) == Delivered(500)
        wait(lambda: rsyslog.count() == 500)


def test_udp_is_one_datagram_a_message(tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        siem = sink(tmp_path, **(PLAIN | {"transport": "udp"}), port=port)
        assert siem.write([alert(ID), alert(ID, 2)]) == Delivered(2)
        told = [reading.message(receiver.recv(65536)).data["revision"] for _ in range(2)]
    assert told == ["1", "2"]
    delivered = siem.write([alert(ID, 3), alert(ID, 4), alert(ID, 5)])
    assert (delivered.taken, delivered.problem) == (
        0,
        f"udp://127.0.0.1:{port} cannot be reached: Connection refused",
    )


def test_a_real_receiver_takes_datagrams(tmp_path: Path) -> None:
    with Rsyslog(tmp_path, udp=True) as rsyslog:
        siem = sink(tmp_path, **(rsyslog.entry | {"transport": "udp", "format": "cef"}))
        assert siem.write([alert(ID)]) == Delivered(1)
        wait(rsyslog.count)
    assert reading.cef(rsyslog.stored()[0].text).fields["cs1"] == ID


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"host": ""}, "wrong 'host'"),
        ({"port": 0}, "wrong 'port'"),
        ({"format": "xml"}, "wrong 'format'"),
        ({"max_bytes": 480}, "wrong 'max_bytes'"),
        ({"facility": 24}, "wrong 'facility'"),
        ({"certificate": "c.pem"}, "certificate and key go together"),
        ({"transport": "tcp", "ca": "ca.pem"}, 'ca, certificate and key need transport = "tls"'),
        ({"ca": "nowhere.pem"}, "cannot use nowhere.pem: No such file or directory"),
        ({"url": "https://x/"}, "knows no setting 'url'"),
    ],
)
def test_settings_that_cannot_be_are_a_mistake(
    tmp_path: Path, more: dict[str, object], why: str
) -> None:
    with pytest.raises(Mistake, match=why):
        sink(tmp_path, **({"name": "siem", "kind": "syslog", "host": "siem.example"} | more))
