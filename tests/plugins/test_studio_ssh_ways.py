"""Ways to a board: the user's SSH configuration, jump hosts, certificates; and finding boards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import ChangedHost, Refused, Silent, TargetError, TargetSpec, UsageError
from studio_ssh import discovery
from studio_ssh.address import Address
from studio_ssh.channel import SshChannel
from studio_ssh.config import Config
from studio_ssh.connection import connect
from studio_ssh.route import Route, route_to
from studio_ssh.target import SshTarget
from tests.rigs.boards import Board, make_key, network, public_key, until

CONFIG = """\
Host roof-*
  User pi
  IdentityFile ~/.ssh/roof
  ProxyJump gate.example,ops@inner:2222
Host roof-7
  HostName 10.1.2.7
  Port 2200
  HostKeyAlias seven
Include more/*.conf
Host old
  ProxyCommand nc %h %p
Host "none"
  ProxyJump none
Host gate.example
  User jumper
  IdentitiesOnly yes
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("Host lab\n  HostName lab.local\n  User root\n")
    (tmp_path / "config").write_text(CONFIG)
    return Config.read(tmp_path / "config")


def way(config: Config, url: str, **settings: str) -> Route:
    return route_to(TargetSpec("b", url, "", settings), Path("known"), config)


def test_the_configuration_gives_address_login_keys_and_jump_hosts(config: Config) -> None:
    route = way(config, "ssh://roof-7")
    assert route.board.address == Address("10.1.2.7", 2200, "pi")
    assert route.board.known_as == "seven"
    assert route.board.keys[0].endswith("/.ssh/roof")
    gate, inner = route.jumps
    assert gate.address == Address("gate.example", 22, "jumper")
    assert not gate.agent
    assert inner.address == Address("inner", 2222, "ops")


def test_an_included_file_counts_and_ends_its_host(config: Config) -> None:
    assert way(config, "ssh://lab").board.address == Address("lab.local", 22, "root")
    assert config.names() == ["gate.example", "lab", "none", "old", "roof-7"]


def test_what_the_target_says_goes_first(config: Config) -> None:
    route = way(config, "ssh://ann@roof-7:22", key_file="/k", jump="one@other")
    assert route.board.address == Address("10.1.2.7", 22, "ann")
    assert (route.board.keys, route.board.strict) == (("/k",), True)
    assert [hop.address.host for hop in route.jumps] == ["other"]
    assert way(config, "ssh://none").jumps == ()


def test_ways_that_cannot_be_gone_say_why(config: Config, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="through a command"):
        way(config, "ssh://old")
    with pytest.raises(UsageError, match="is not the address of a jump host"):
        way(config, "ssh://x", jump="a b:c")
    ring = tmp_path / "ring"
    ring.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(TargetError, match="in a circle"):
        way(Config.read(ring), "ssh://a")
    ring.write_text("Host a\n Port\n")
    with pytest.raises(UsageError, match="cannot be understood"):
        Config.read(ring).of("a")


def test_a_match_that_runs_a_command_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(f'Match exec "touch {tmp_path}/ran"\n User evil\nHost x\n User good\n')
    assert Config.read(path).of("x").user == "good"
    assert not (tmp_path / "ran").exists()


def test_names_of_the_network_become_harmless() -> None:
    assert discovery.name_of("jetson 7 (roof).local") == "jetson-7-roof"
    assert discovery.name_of("../../etc") == "etc"
    assert discovery.name_of("$(reboot)") == "reboot"
    assert discovery.name_of("\x1b[31m") == "31m"
    assert discovery.name_of("…") == "board"


@pytest.mark.parametrize("subnet", ["10.0.0.0/8", "somewhere", "", "10.0.0.0/33"])
def test_subnets_that_are_not_asked(subnet: str) -> None:
    with pytest.raises(UsageError, match=r"is no subnet|addresses; at most"):
        discovery.hosts_of(subnet)


# From here on with real servers: this computer reaches the jump host, and only that the board.


class Site:
    """A jump host in two networks, and a board in the one behind it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        front = stack.enter_context(network())
        behind = stack.enter_context(network(hidden=True))
        self.jump = stack.enter_context(Board(front, folder / "jump"))
        self.board = stack.enter_context(Board(behind, folder / "board"))
        self.jump.join(behind)
        self.prefix = front.prefix
        self.known = folder / "known_hosts"
        self.known.write_text(f"{self.jump.address} {self.jump.host_key}\n")
        self.file = folder / "config"
        self.file.write_text(
            f"Host behind\n HostName {self.board.address}\n User root\n"
            f" IdentityFile {self.board.key_file}\n ProxyJump front\n"
            f"Host front\n HostName {self.jump.address}\n User root\n"
            f" IdentityFile {self.jump.key_file}\n"
        )

    @property
    def spec(self) -> TargetSpec:
        return TargetSpec("roof", "ssh://behind", self.board.host_key)

    def open(self, spec: TargetSpec | None = None, known: Path | None = None) -> SshChannel:
        config = Config.read(self.file)
        return SshChannel(connect(spec or self.spec, known or self.known, config), "roof")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path_factory.mktemp("site"), stack)


@pytest.mark.rig
def test_a_board_behind_a_jump_host(site: Site, tmp_path: Path) -> None:
    channel = site.open()
    try:
        assert site.board.address in channel.run(["sh", "-c", "ip -4 addr; echo $HOME"]).text
        (tmp_path / "file").write_bytes(bytes(range(256)) * 4000)
        channel.put(tmp_path / "file", "/root/file")
        channel.get("/root/file", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    finally:
        channel.close()
    until(lambda: "ssh" not in site.jump.run("ss", "-Htn", "state", "established"), "it is closed")


@pytest.mark.rig
def test_the_boards_key_counts_behind_a_jump_host_too(site: Site, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    with pytest.raises(ChangedHost, match="presents another host key"):
        site.open(replace(site.spec, host_key=public_key(tmp_path / "other")))


@pytest.mark.rig
def test_a_jump_host_that_was_never_confirmed_or_has_changed(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"host key of the jump host .* never confirmed") as caught:
        site.open(known=tmp_path / "nothing")
    assert f"ssh root@{site.jump.address}" in caught.value.hint
    make_key(tmp_path / "other")
    (tmp_path / "known").write_text(f"{site.jump.address} {public_key(tmp_path / 'other')}\n")
    with pytest.raises(Refused, match=r"^The jump host: .* presents another host key"):
        site.open(known=tmp_path / "known")


@pytest.mark.rig
def test_jump_hosts_that_do_not_let_through(site: Site) -> None:
    gone = site.board.address.rpartition(".")[0] + ".250"
    cases = {
        f"root@{gone}": "did not answer through the jump host|jump host cannot reach",
        "root@no-such-host.invalid": "jump host cannot reach",
    }
    for login, wanted in cases.items():
        spec = replace(site.spec, url=f"ssh://{login}", settings={"jump": "front"})
        with pytest.raises(TargetError, match=wanted):
            site.open(spec)
    for jump, wanted in {
        "root@no-such-host.invalid": "refused the connection: Unknown host",
        f"root@{site.jump.address}:23": "refused the connection: .* refuses connections",
        "nobody-here@front": "refused the connection: .* refuses the login of nobody-here",
    }.items():
        with pytest.raises(TargetError, match=wanted):
            site.open(replace(site.spec, settings={"jump": jump}))


@pytest.mark.rig
def test_a_jump_host_that_forbids_forwarding(tmp_path: Path) -> None:
    with network() as made, Board(made, tmp_path / "j", more="AllowTcpForwarding no\n") as jump:
        known = tmp_path / "known"
        known.write_text(f"{jump.address} {jump.host_key}\n")
        config = Config(f"Host {jump.address}\n IdentityFile {jump.key_file}\n")
        spec = TargetSpec("b", "ssh://root@127.0.0.1", "", {"jump": f"root@{jump.address}"})
        with pytest.raises(TargetError, match="does not forward connections"):
            connect(spec, known, config)


@pytest.mark.rig
def test_certificates_open_the_door_until_their_time_is_over(tmp_path: Path) -> None:
    make_key(tmp_path / "ca")
    make_key(tmp_path / "user")
    trusted = f"TrustedUserCAKeys {tmp_path}/ca.pub\n"
    with network() as made, Board(made, tmp_path / "b", more=trusted) as board:
        spec = replace(board.spec(), settings={"key_file": str(tmp_path / "user")})
        with pytest.raises(TargetError, match="refuses the login of root with the key"):
            SshTarget().connect(spec, Silent())
        sign(tmp_path, "+1h")
        SshTarget().connect(spec, Silent()).close()
        (tmp_path / "user-cert.pub").rename(tmp_path / "elsewhere.pub")
        chosen = {**spec.settings, "certificate_file": str(tmp_path / "elsewhere.pub")}
        SshTarget().connect(replace(spec, settings=chosen), Silent()).close()
        sign(tmp_path, "20200101:20200102")
        with pytest.raises(TargetError, match=r"the certificate .* ended on 2020-01-02"):
            SshTarget().connect(spec, Silent())


def sign(folder: Path, valid: str) -> None:
    """Have the user's key signed for root."""
    words = ["-q", "-s", folder / "ca", "-I", "ann", "-n", "root", "-V", valid, folder / "user.pub"]
    subprocess.run(["ssh-keygen", *map(str, words)], check=True, timeout=30)


@pytest.mark.rig
def test_a_name_that_does_not_resolve() -> None:
    with pytest.raises(TargetError, match="Unknown host no-such-host"):
        SshTarget().connect(TargetSpec("b", "ssh://root@no-such-host.invalid"), Silent())


ANNOUNCE = """
import ipaddress, sys
from zeroconf import ServiceInfo, Zeroconf
mouth = Zeroconf(interfaces=[sys.argv[1]])
info = ServiceInfo("_ssh._tcp.local.", "Orin; on the roof._ssh._tcp.local.", port=2222,
    addresses=[ipaddress.ip_address(sys.argv[1]).packed], server="orin.local.")
mouth.register_service(info)
print("announced", flush=True)
sys.stdin.read()
mouth.close()
"""


@pytest.mark.rig
def test_a_board_that_announces_itself_is_heard(site: Site) -> None:
    speaker = site.jump.speak(sys.executable, "-c", ANNOUNCE, site.jump.address)
    try:
        assert speaker.stdout is not None
        assert speaker.stdout.readline() == b"announced\n"
        found = discovery.announced(2.0, Silent())
    finally:
        speaker.communicate(timeout=20)
    (one,) = [c for c in found if c.url == f"ssh://{site.jump.address}:2222"]
    assert (one.name, one.way) == ("Orin-on-the-roof", "mdns")


@pytest.mark.rig
def test_a_subnet_is_asked_on_request(site: Site) -> None:
    found = discovery.answering(f"{site.prefix}.0/28", Silent())
    assert f"ssh://{site.jump.address}" in [one.url for one in found]
    assert all("SSH-2.0-OpenSSH" in one.text for one in found)


@pytest.mark.rig
def test_the_ways_together_tell_a_place_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Config, "read", lambda: Config(site.file.read_text(), site.file))
    found = SshTarget().find(("config", "subnet"), f"{site.prefix}.0/28", 0.0, Silent())
    names = {one.name: one for one in found}
    assert names["front"].url == f"ssh://root@{site.jump.address}"
    assert names["behind"].settings == {"key_file": str(site.board.key_file), "jump": "front"}
    assert len([one for one in found if site.jump.address in one.url]) == 1
