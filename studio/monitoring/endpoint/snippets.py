"""Programs in several languages that call an endpoint, as text.

Each program runs unchanged, and needs only the standard library of its language: a shell with
curl, Python 3.8, or Node 18. A browser works, too, without a token and a certificate.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from studio.lazy_dataclass import dataclass

TOKEN = "EDGEWRIGHT_TOKEN"
"""The environment variable with the token, which no program contains."""

_SHOWN = 10
_FLOATS = ("FP16", "FP32", "FP64", "BF16")


@dataclass(frozen=True, slots=True)
class CallAddress:
    """The address of a server, and the credentials for it.

    Attributes:
        url: Scheme, host and port.
        token: A shell command that prints the token; empty if no token is required.
        certificate: File with the server's certificate; empty without TLS, or if an authority
            has signed it.
        way: A shell command that opens a tunnel to it; empty if none is needed.
    """

    url: str
    token: str = ""
    certificate: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True)
class ExampleInput:
    """An input of the model, with accepted sizes."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def value(self) -> str:
        """An element in JSON; a text is a number, as some models parse texts."""
        if self.datatype == "BYTES":
            return '"0"'
        if self.datatype == "BOOL":
            return "false"
        return "0.5" if self.datatype in _FLOATS else "0"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a model.

    Attributes:
        pictures: Whether the server converts a picture into the model's input.
        writes: Whether it is a language model, with OpenAI's protocol.
    """

    place: CallAddress
    model: str
    inputs: Sequence[ExampleInput]
    pictures: bool = False
    writes: bool = False

    @property
    def request_url(self) -> str:
        """Address of the request that the programs send."""
        return f"{self.place.url}/v1/chat/completions" if self.writes else self.infer

    @property
    def prompt(self) -> str:
        """The request to a language model, as JSON."""
        message = {"role": "user", "content": "What can you do?"}
        return json.dumps({"model": self.model, "messages": [message], "max_tokens": 64})

    @property
    def infer(self) -> str:
        """Address for requests with arrays."""
        return f"{self.place.url}/v2/models/{quote(self.model, safe='')}/infer"

    @property
    def image(self) -> str:
        """Address for requests with pictures."""
        return f"{self.place.url}/edgewright/models/{quote(self.model, safe='')}/image"


def curl(call: Call) -> str:
    """Return shell commands."""
    options = "".join(
        [
            f" \\\n  --cacert {shlex.quote(call.place.certificate)}" * bool(call.place.certificate),
            f' \\\n  -H "Authorization: Bearer ${TOKEN}"' * bool(call.place.token),
        ]
    )
    if call.writes:
        request = f"-H 'Content-Type: application/json' --data {shlex.quote(call.prompt)}"
        sent = f"curl --silent --show-error --fail-with-body{options} \\"
        words = [*_preparation(call.place), sent, f"  {request} {shlex.quote(call.request_url)}"]
        return "\n".join(words) + "\n"
    lines = [
        *_preparation(call.place),
        *('repeat() { seq "$2" | sed "s/.*/$1/" | paste -sd, -; }', ""),
        f"curl --silent --show-error --fail-with-body{options} \\",
        f"  -H 'Content-Type: application/json' --data-binary @- {shlex.quote(call.infer)} <<END",
        _shell_document(call.inputs),
        "END",
    ]
    if call.pictures:
        kind = "-H 'Content-Type: image/jpeg' --data-binary @picture.jpg"
        lines += [
            "",
            "# A picture (JPEG or PNG); the server makes the model's input of it:",
            f"# curl --silent --show-error --fail-with-body{options} \\".replace("\n", "\n# "),
            f"#   {kind} {shlex.quote(call.image)}",
        ]
    return "\n".join(lines) + "\n"


def python(call: Call) -> str:
    """Return a Python program that needs only the standard library."""
    secure = call.place.url.startswith("https:")
    # A self-signed certificate is trusted by its file, so verification stays enabled.
    cafile = f"cafile={call.place.certificate!r}" if call.place.certificate else ""
    trust = [f"CONTEXT = ssl.create_default_context({cafile})"] * secure
    header = f', "Authorization": "Bearer " + os.environ["{TOKEN}"]' * bool(call.place.token)
    context = ", context=CONTEXT" * secure
    lines = [
        *_comments("# ", call.place),
        "import json",
        *["import os"] * bool(call.place.token),
        *["import ssl"] * secure,
        *("import urllib.error", "import urllib.request", ""),
        f"URL = {call.request_url!r}",
        *trust,
        f'HEADERS = {{"Content-Type": "application/json"{header}}}',
        *_python_body(call),
        "request = urllib.request.Request(URL, body, HEADERS)",
        "try:",
        f"    with urllib.request.urlopen(request, timeout=60{context}) as response:",
        "        answer = json.load(response)",
        "except urllib.error.HTTPError as error:",
        "    raise SystemExit(f\"{error.code}: {json.load(error)['error']}\")",
        *([_PYTHON_TEXT] if call.writes else _PYTHON_OUTPUTS),
    ]
    if call.pictures:
        lines += [
            "",
            "# A picture: the same request with its bytes as the body,",
            f"# URL = {call.image!r}",
            '# and "Content-Type": "image/jpeg" or "image/png".',
        ]
    return "\n".join(lines) + "\n"


def javascript(call: Call) -> str:
    """Return a module for Node 18 or later."""
    header = f', "Authorization": `Bearer ${{process.env.{TOKEN}}}`' * bool(call.place.token)
    trusted = []
    if call.place.certificate:
        file = shlex.quote(call.place.certificate)
        trusted = [f"// Run it with: NODE_EXTRA_CA_CERTS={file} node call.mjs"]
    lines = [
        *_comments("// ", call.place),
        *trusted,
        f"const url = {json.dumps(call.request_url)};",
        f'const headers = {{"Content-Type": "application/json"{header}}};',
        *_javascript_body(call),
        'const response = await fetch(url, {method: "POST", headers, body});',
        "const answer = await response.json();",
        "if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(answer.error)}`);",
        *([_JAVASCRIPT_TEXT] if call.writes else _JAVASCRIPT_OUTPUTS),
    ]
    if call.pictures:
        lines += [
            "",
            "// A picture: the same request with its bytes (or a File of a form) as the body,",
            f"// url {json.dumps(call.image)}",
            '// and "Content-Type": "image/jpeg" or "image/png".',
        ]
    return "\n".join(lines) + "\n"


_PYTHON_TEXT = 'print(answer["choices"][0]["message"]["content"])'
_PYTHON_OUTPUTS = (
    'for output in answer["outputs"]:',
    f'    print(output["name"], output["shape"], output["data"][:{_SHOWN}])',
)
_JAVASCRIPT_TEXT = "console.log(answer.choices[0].message.content);"
_JAVASCRIPT_OUTPUTS = (
    "for (const output of answer.outputs) {",
    f"  console.log(output.name, output.shape, output.data.slice(0, {_SHOWN}));",
    "}",
)


def _python_body(call: Call) -> list[str]:
    if call.writes:
        return ["", f"body = json.dumps({json.loads(call.prompt)!r}).encode()"]
    inputs = (f"    {_python_input(each)}," for each in call.inputs)
    return ["", "inputs = [", *inputs, "]", 'body = json.dumps({"inputs": inputs}).encode()']


def _javascript_body(call: Call) -> list[str]:
    if call.writes:
        return [f"const body = JSON.stringify({call.prompt});"]
    inputs = (f"  {_javascript_input(each)}," for each in call.inputs)
    return ["const inputs = [", *inputs, "];", "const body = JSON.stringify({inputs});"]


LANGUAGES: Mapping[str, Callable[[Call], str]] = {
    "curl": curl,
    "python": python,
    "javascript": javascript,
}


def _preparation(place: CallAddress) -> list[str]:
    """Return the first commands of a shell."""
    lines = [f"{place.way} &"] if place.way else []
    if place.token:
        lines.append(f'{TOKEN}="$({place.token})"')
    return lines


def _comments(mark: str, place: CallAddress) -> list[str]:
    """Return the preparation as comments of a program."""
    lines = [f"{mark}It is reached through: {place.way}"] if place.way else []
    if place.token:
        lines.append(f'{mark}The token: export {TOKEN}="$({place.token})"')
    return lines


def _shell_document(inputs: Sequence[ExampleInput]) -> str:
    """Return the request for a here-document, where a function repeats the elements."""
    parts = []
    for each in inputs:
        head = json.dumps({"name": each.name, "shape": each.shape, "datatype": each.datatype})
        data = f"$(repeat {shlex.quote(each.value)} {each.count})"
        parts.append(f'{_quiet(head[:-1])}, "data": [{data}]}}')
    return f'{{"inputs": [{", ".join(parts)}]}}'


def _quiet(text: str) -> str:
    """Escape a text, so that a here-document expands nothing in it."""
    for char in "\\$`":
        text = text.replace(char, f"\\{char}")
    return text


def _python_input(each: ExampleInput) -> str:
    # JSON's false is no Python literal.
    value = {"false": "False"}.get(each.value, each.value)
    head = f'"name": {each.name!r}, "shape": {list(each.shape)}, "datatype": "{each.datatype}"'
    return f'{{{head}, "data": [{value}] * {each.count}}}'


def _javascript_input(each: ExampleInput) -> str:
    head = f'name: {json.dumps(each.name)}, shape: {list(each.shape)}, datatype: "{each.datatype}"'
    return f"{{{head}, data: Array({each.count}).fill({each.value})}}"
