"""Hardware of a board besides its processor: a script that reads files and commands, and parsers.

Each parser is a pure function of the script's output. Missing and invalid values stay empty.
Sources: the Linux kernel's ABI documents (sysfs), NVIDIA's Jetson Linux
developer guide (``nv_tegra_release``, ``nvpmodel``), Raspberry Pi's ``vcgencmd`` documentation
(the bits of ``get_throttled``), Arm's part numbers (MIDR_EL1).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field

from studio.lazy_dataclass import dataclass


class ScriptAnswers:
    """The ``name=value`` lines of the script; a name may be on several lines."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, list[str]] = {}
        for line in text.splitlines():
            name, equals, value = line.partition("=")
            if equals and name.isidentifier():
                self._values.setdefault(name, []).append(value.strip())

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a name."""
        return self._values.get(name, ())

    def first(self, name: str) -> str:
        """Return the first value of a name, or an empty text."""
        return next(iter(self.all(name)), "")


SCRIPT = """\
few() { if command -v timeout >/dev/null; then timeout 3 "$@"; else "$@"; fi 2>/dev/null; }
first() { [ -r "$2" ] && read -r line < "$2" && echo "$1=$line"; }
echo "bits=$(getconf LONG_BIT 2>/dev/null)"
[ -r "$s/proc/device-tree/compatible" ] &&
  tr '\\000' '\\n' < "$s/proc/device-tree/compatible" | sed 's/^/compatible=/'
if [ -r "$s/proc/cpuinfo" ]; then
  sed -n 's/^CPU implementer[^:]*: */implementer=/p; s/^CPU part[^:]*: */part=/p' "$s/proc/cpuinfo"
  sed -n 's/^\\(flags\\|Features\\)[^:]*: */features=/p' "$s/proc/cpuinfo" | head -n 1
fi
[ -r "$s/proc/meminfo" ] &&
  sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/free_kb=\\1/p' "$s/proc/meminfo"
for policy in "$s"/sys/devices/system/cpu/cpufreq/policy*; do
  first governor "$policy/scaling_governor"
  first khz "$policy/cpuinfo_max_freq"
  first limit_khz "$policy/scaling_max_freq"
done
for zone in "$s"/sys/class/thermal/thermal_zone*; do
  [ -r "$zone/type" ] && echo "zone=$(cat "$zone/type") $(cat "$zone/temp" 2>/dev/null)"
done
first tegra "$s/etc/nv_tegra_release"
first mendel "$s/etc/mendel_version"
[ -r "$s/proc/driver/nvidia/version" ] && first nvidia "$s/proc/driver/nvidia/version"
command -v nvidia-smi >/dev/null &&
  few nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader |
  sed 's/^/smi=/'
command -v nvpmodel >/dev/null && few nvpmodel -q | sed -n 's/^NV Power Mode: */nvpmodel=/p'
command -v vcgencmd >/dev/null && few vcgencmd get_throttled
for device in apex_0 hailo0 galcore mali0 nvhost-gpu accel/accel0; do
  [ -e "$s/dev/$device" ] && echo "device=/dev/$device"
done
for render in "$s"/sys/class/drm/renderD*/device; do
  [ -e "$render/uevent" ] && echo "gpu=$(sed -n 's/^DRIVER=//p' "$render/uevent")"
done
for npu in "$s"/sys/class/devfreq/*npu; do [ -e "$npu" ] && echo "npu=${npu##*/}"; done
for usb in "$s"/sys/bus/usb/devices/*; do
  [ -r "$usb/idVendor" ] && echo "usb=$(cat "$usb/idVendor"):$(cat "$usb/idProduct")"
done
for video in "$s"/sys/class/video4linux/video*; do
  [ -r "$video/name" ] &&
    echo "video=${video##*/} $(cat "$video/index" 2>/dev/null || echo 0) $(cat "$video/name")"
done
command -v dpkg-query >/dev/null &&
  few dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n' \\
  nvidia-jetpack nvidia-l4t-core 'libnvinfer[0-9]*' 'libcudnn[0-9]*' 'cuda-cudart-[0-9]*' \\
  libedgetpu1-std libedgetpu1-max hailort intel-opencl-icd intel-level-zero-gpu |
  sed -n 's/ ii *$//p' | sed 's/^/package=/'
for library in "$s"/usr/lib/librknnrt.so "$s"/usr/lib/*/librknnrt.so "$s"/usr/lib/libovxlib.so; do
  [ -e "$library" ] && echo "library=${library##*/}"
done
"""
"""The hardware part of the script of facts. ``$s`` precedes every path; it is empty on a board."""

_DEVICES = {
    "/dev/apex_0": "Coral Edge TPU",
    "/dev/hailo0": "Hailo NPU",
    "/dev/galcore": "VeriSilicon NPU",
    "/dev/accel/accel0": "Intel NPU",
}
_USB = {"1a6e:089a": "Coral Edge TPU (USB)", "18d1:9302": "Coral Edge TPU (USB)"}
_GPUS = {
    "i915": "Intel GPU",
    "xe": "Intel GPU",
    "amdgpu": "AMD GPU",
    "panfrost": "Mali GPU",
    "panthor": "Mali GPU",
    "v3d": "VideoCore GPU",
}
_CORES = {
    "0x41": {
        "0xd03": "Cortex-A53",
        "0xd04": "Cortex-A35",
        "0xd05": "Cortex-A55",
        "0xd07": "Cortex-A57",
        "0xd08": "Cortex-A72",
        "0xd09": "Cortex-A73",
        "0xd0a": "Cortex-A75",
        "0xd0b": "Cortex-A76",
        "0xd0c": "Neoverse-N1",
        "0xd40": "Neoverse-V1",
        "0xd41": "Cortex-A78",
        "0xd42": "Cortex-A78AE",
        "0xd49": "Neoverse-N2",
        "0xd4f": "Neoverse-V2",
        "0xd83": "Neoverse-V3AE",
        "0xc07": "Cortex-A7",
        "0xc09": "Cortex-A9",
    },
    "0x4e": {"0x003": "Denver 2", "0x004": "Carmel"},
}
_FEATURES = {
    "asimddp": "dot product",
    "i8mm": "int8 matrices",
    "asimdhp": "fp16",
    "bf16": "bf16",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "amx_int8": "AMX",
}
"""Instructions that decide whether int8 and half precision are faster."""

_NO_CAMERA = re.compile(
    r"codec|rpivid|pispbe|2835-isp|hevc|decod|encod|rga|hantro|vpu|jpeg|mem2mem", re.IGNORECASE
)
_THROTTLED = (
    (0, "the supply voltage is too low now"),
    (1, "the clock is capped now"),
    (2, "it is throttled now"),
    (3, "it is at its temperature limit now"),
    (16, "the supply voltage was too low since it started"),
    (18, "it was throttled since it started"),
)
_JETPACKS = {
    "R32.7": "4.6",
    "R35.1": "5.0",
    "R35.2": "5.1",
    "R35.3": "5.1",
    "R35.4": "5.1",
    "R35.5": "5.1",
    "R35.6": "5.1",
    "R36.2": "6.0",
    "R36.3": "6.0",
    "R36.4": "6.1",
    "R38.2": "7.0",
}
_LIBRARIES = (
    (re.compile(r"libnvinfer\d+$"), "TensorRT"),
    (re.compile(r"libcudnn\d+(-cuda-\d+)?$"), "cuDNN"),
    (re.compile(r"cuda-cudart-\d+-\d+$"), "CUDA"),
    (re.compile(r"libedgetpu1-(std|max)$"), "Edge TPU runtime"),
    (re.compile(r"hailort$"), "HailoRT"),
    (re.compile(r"intel-opencl-icd$"), "Intel OpenCL"),
    (re.compile(r"intel-level-zero-gpu$"), "Intel Level Zero"),
)
_FILES = {"librknnrt.so": "RKNN runtime", "libovxlib.so": "VeriSilicon runtime"}


@dataclass(frozen=True, slots=True)
class Hardware:
    """The hardware in the script's output; fields as in ``TargetFacts``."""

    bits: int = 0
    cpu: str = ""
    compatible: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    memory_free_mb: int = 0
    cpu_mhz: int = 0
    temperature_c: float | None = None
    image: str = ""
    power_mode: str = ""
    accelerators: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    cameras: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def parse(answers: ScriptAnswers) -> Hardware:
    """Parse the complete output."""
    tegra = tegra_release(answers.first("tegra"))
    packages = _packages(answers.all("package"))
    return Hardware(
        bits=number(answers.first("bits")),
        cpu=cores(answers.all("implementer"), answers.all("part")),
        compatible=tuple(filter(None, answers.all("compatible"))),
        features=features(answers.first("features")),
        memory_free_mb=number(answers.first("free_kb")) // 1024,
        cpu_mhz=max(map(number, answers.all("khz")), default=0) // 1000,
        temperature_c=temperature(answers.all("zone")),
        image=image(tegra, packages.get("nvidia-jetpack", ""), answers.first("mendel")),
        power_mode=power_mode(answers),
        accelerators=accelerators(answers, tegra),
        libraries=libraries(packages, answers.all("library")),
        cameras=cameras(answers.all("video")),
        notes=notes(answers),
    )


def cores(implementers: Sequence[str], parts: Sequence[str]) -> str:
    """Return ``4 x Cortex-A76 + 4 x Cortex-A55`` from Arm's part numbers; empty for others."""
    pairs = zip(implementers, parts, strict=False)
    names = Counter(_CORES.get(maker, {}).get(part, "") for maker, part in pairs)
    names.pop("", None)
    if len(names) == 1:
        return next(iter(names))
    return " + ".join(f"{count} x {name}" for name, count in names.most_common())


def features(line: str) -> tuple[str, ...]:
    """Return the processor's instruction sets that matter for inference."""
    words = set(line.split())
    return tuple(name for word, name in _FEATURES.items() if word in words)


def temperature(zones: Sequence[str]) -> float | None:
    """Return the hottest processor sensor in degrees, or the hottest of all without such a one."""
    read = []
    for zone in zones:
        name, _, value = zone.rpartition(" ")
        # Values outside the range come from sensors that are not connected.
        if re.fullmatch(r"-?\d+", value) and -40_000 < int(value) < 150_000:
            read.append((name.lower(), int(value) / 1000))
    own = [value for name, value in read if re.search(r"cpu|soc|x86_pkg|tj", name)]
    return max(own or [value for _, value in read], default=None)


def tegra_release(line: str) -> str:
    """Return ``R36.4.0`` from ``# R36 (release), REVISION: 4.0, GCID: ...``."""
    if not line:
        return ""
    words = line.replace(",", " ").split()
    release = next((word for word in words if re.fullmatch(r"R\d+", word)), "L4T")
    revision = words[words.index("REVISION:") + 1] if "REVISION:" in words[:-1] else ""
    return f"{release}.{revision}".rstrip(".")


def image(tegra: str, jetpack: str, mendel: str) -> str:
    """Return the maker's name of the system, ``JetPack 6.1 (L4T R36.4.0)``; else empty."""
    if tegra:
        known = jetpack.partition("+")[0].partition("-")[0]
        known = known or _JETPACKS.get(".".join(tegra.split(".")[:2]), "")
        return f"JetPack {known} (L4T {tegra})" if known else f"L4T {tegra}"
    return f"Mendel {mendel}" if mendel else ""


def power_mode(answers: ScriptAnswers) -> str:
    """Return a Jetson's mode and the governor of the clocks: ``15W, schedutil``."""
    governors = sorted(set(answers.all("governor")))
    return ", ".join(filter(None, [answers.first("nvpmodel"), *governors]))


def accelerators(answers: ScriptAnswers, tegra: str) -> tuple[str, ...]:
    """Return the accelerators, by device files, drivers and USB numbers."""
    found = [f"NVIDIA Tegra {tegra}"] if tegra else []
    cards = [line.split(",")[0].strip() for line in answers.all("smi") if "," in line]
    found += cards or (["NVIDIA GPU"] if answers.all("nvidia") and not tegra else [])
    devices = [_DEVICES.get(device, "") for device in answers.all("device")]
    found += [*devices, *(_USB.get(one, "") for one in answers.all("usb"))]
    found += [_GPUS.get(driver, "") for driver in answers.all("gpu")]
    found += ["Mali GPU"] if "/dev/mali0" in answers.all("device") else []
    found += ["Rockchip NPU"] if answers.all("npu") else []
    return tuple(dict.fromkeys(filter(None, found)))


def libraries(packages: Mapping[str, str], files: Sequence[str]) -> dict[str, str]:
    """Return versions of the accelerators' libraries; ``present`` if a file has no version."""
    found: dict[str, str] = {}
    for package, version in packages.items():
        for pattern, name in _LIBRARIES:
            if pattern.match(package):
                found.setdefault(name, re.split(r"[-+]", version)[0])
    return found | {_FILES[name]: "present" for name in files if name in _FILES}


def cameras(videos: Sequence[str]) -> tuple[str, ...]:
    """Return the names of cameras, without codecs and other nodes of the same device."""
    found = []
    for line in videos:
        node, index, name = [*line.split(" ", 2), "", ""][:3]
        if index == "0" and name and not _NO_CAMERA.search(name):
            found.append(f"{name} (/dev/{node})")
    return tuple(found)


def notes(answers: ScriptAnswers) -> tuple[str, ...]:
    """Return conditions that make measurements unreliable, or that the service may fail on."""
    found = []
    value = answers.first("throttled")
    bits = int(value, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}", value) else 0
    found += [text for bit, text in _THROTTLED if bits >> bit & 1]
    top = max(map(number, answers.all("khz")), default=0)
    limit = max(map(number, answers.all("limit_khz")), default=0)
    if 0 < limit < top:
        found.append(f"its clock is limited to {limit // 1000} of {top // 1000} MHz")
    if "powersave" in answers.all("governor") and not _scales_itself(answers):
        found.append("the governor powersave keeps its clock low")
    return tuple(found)


def number(text: str) -> int:
    """Parse a whole number; return 0 for an invalid text."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _scales_itself(answers: ScriptAnswers) -> bool:
    """Return whether powersave is only a preference, as with Intel's own driver."""
    return "hwp" in answers.first("features").split()


def _packages(lines: Sequence[str]) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in lines if " " in line)
