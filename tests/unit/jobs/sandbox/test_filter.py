"""The filter of system calls, run by a small machine of its own for each processor."""

from __future__ import annotations

import errno
import os
import re
import struct
from pathlib import Path

import pytest

from studio.api import Permission
from studio.jobs.sandbox.calls import RefusedCall, rules
from studio.jobs.sandbox.filter import ARCHITECTURES, Architecture, assemble

ALLOWED = 0
EVERY = pytest.mark.parametrize("name", sorted(ARCHITECTURES))
HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}
CLONE_NEWUSER, SIGCHLD = 0x10000000, 17


def verdict(program: bytes, audit: int, number: int, *arguments: int) -> int:
    """What the kernel would answer to a call: an error number, or 0 where it goes on."""
    full = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, audit, 0, *full)
    steps = [*struct.iter_unpack("<HBBI", program)]
    value, at = 0, 0
    while True:
        code, if_true, if_false, operand = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif code == 0x06:
            return 0 if operand == 0x7FFF0000 else operand & 0xFFFF
        else:
            holds = {
                0x15: value == operand,
                0x35: value >= operand,
                0x45: bool(value & operand),
            }[code]
            at += if_true if holds else if_false


def table(*needs: Permission, sees_sockets: bool = False) -> tuple[RefusedCall, ...]:
    return rules(frozenset(needs), sees_sockets=sees_sockets)


@EVERY
def test_each_row_is_refused_with_its_error(name: str) -> None:
    chip = ARCHITECTURES[name]
    program = assemble(table(), chip)
    refused = [rule for rule in table() if rule.call in chip.numbers]
    assert len(refused) > 60
    for rule in refused:
        argument, value = 0, 0
        if rule.when is not None:
            argument = rule.when.argument
            value = rule.when.bits or next(iter(rule.when.among), 0x1234)
        arguments = [0] * argument + [value]
        assert verdict(program, chip.audit, chip.numbers[rule.call], *arguments) == rule.error, rule


@EVERY
def test_each_row_has_a_reason_and_a_call_that_exists(name: str) -> None:
    known = {call for chip in ARCHITECTURES.values() for call in chip.numbers}
    for rule in table():
        assert rule.call in known
        assert rule.reason.endswith((".", ")")), rule


def test_ordinary_calls_go_on() -> None:
    chip = ARCHITECTURES["x86_64"]
    program = assemble(table(), chip)
    refused = set(chip.numbers.values())
    for number in set(range(335)) - refused:
        assert verdict(program, chip.audit, number) == ALLOWED, number


@EVERY
def test_conditions_look_at_the_low_half_alone(name: str) -> None:
    chip = ARCHITECTURES[name]
    program = assemble(table(), chip)
    high = 0x1_0000_0000

    def said(call: str, *arguments: int) -> int:
        return verdict(program, chip.audit, chip.numbers[call], *arguments)

    assert said("clone", SIGCHLD) == ALLOWED
    assert said("clone", SIGCHLD | CLONE_NEWUSER) == errno.EPERM
    assert said("clone", high | SIGCHLD | CLONE_NEWUSER) == errno.EPERM
    assert said("ioctl", 0, 0x5413) == ALLOWED  # the size of a terminal
    assert said("ioctl", 0, high | 0x5412) == errno.EPERM
    assert said("personality", 0xFFFFFFFF) == ALLOWED
    assert said("personality", 0) == ALLOWED
    assert said("personality", 0x40000) == errno.EPERM


@EVERY
def test_families_of_sockets(name: str) -> None:
    chip = ARCHITECTURES[name]
    unix, inet, inet6, netlink, packet, alg, vsock = 1, 2, 10, 16, 17, 38, 40

    def allowed(*needs: Permission, sees_sockets: bool) -> set[int]:
        program = assemble(table(*needs, sees_sockets=sees_sockets), chip)
        number = chip.numbers["socket"]
        families = (unix, inet, inet6, netlink, packet, alg, vsock)
        answers = {each: verdict(program, chip.audit, number, each) for each in families}
        assert set(answers.values()) <= {ALLOWED, errno.EAFNOSUPPORT}
        return {each for each, answer in answers.items() if answer == ALLOWED}

    assert allowed(sees_sockets=False) == {unix, inet, inet6, netlink}
    assert allowed(sees_sockets=True) == set()
    assert allowed(Permission.NETWORK, sees_sockets=False) == {unix, inet, inet6, netlink}
    assert allowed(Permission.NETWORK, sees_sockets=True) == {inet, inet6, netlink}


@EVERY
def test_calls_of_another_processor_are_refused(name: str) -> None:
    program = assemble(table(), ARCHITECTURES[name])
    i386 = 0x40000003
    assert verdict(program, i386, 1) == errno.ENOSYS


def test_x32_is_refused() -> None:
    chip: Architecture = ARCHITECTURES["x86_64"]
    program = assemble(table(), chip)
    assert verdict(program, chip.audit, 0x40000000) == errno.ENOSYS
    assert verdict(program, chip.audit, 0x40000000 | chip.numbers["bpf"]) == errno.ENOSYS


@EVERY
def test_numbers_are_those_of_the_kernels_headers(name: str) -> None:
    header = Path(HEADERS[name])
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    found = re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    known = {call: int(number) for call, number in found}
    wrong = {
        call: (number, known[call])
        for call, number in ARCHITECTURES[name].numbers.items()
        if call in known and known[call] != number
    }
    assert wrong == {}
    assert len(set(ARCHITECTURES[name].numbers) & set(known)) > 50


def test_this_machine_has_a_filter() -> None:
    assert os.uname().machine in ARCHITECTURES
