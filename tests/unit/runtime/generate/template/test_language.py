"""Pieces of the language of templates, rendered as Jinja renders them."""

from __future__ import annotations

import pytest

from studio.runtime.generate.template import ChatTemplate, TemplateError
from tests.rigs.chat_templates import CONVERSATIONS, NOW, VARIABLES, rendered_by_jinja

PIECES = [
    # White space
    "a\n  {% if true %}  \n  b\n  {% endif %}\nc\n",
    "a \n {%- if true -%} \n b \n {%- endif -%} \n c",
    "  {%+ if true %}x{% endif +%}\n y",
    "a  {# c #}\n b {#- d -#}\n  c",
    "\n\n {% set x = 1 %}\n\n{{ x }}\n\n",
    "{{- ' a ' -}}\n {{ 'b' }}\r\nc\rd",
    "{% raw %}\n {{ x }} {% if %}{% endraw %}\n!",
    "   {%- raw -%}  {{ x }}  {%- endraw -%}  !",
    "x {%- set y -%}  z  {%- endset -%} w {{ y }}|",
    # Values
    r"""{{ '\0\101\N{BULLET}\U0001F600\
' }}""",
    r"""{{ 'a\'b\n\t\\ é \u00e9 \x41' ~ "c\"d" }}{{ 'a' 'b' }}""",
    "{{ 1_000 }} {{ 1.5e3 }} {{ 0x1f }} {{ true }} {{ none }} {{ False }} {{ nothing }}",
    "{{ [1, 'a', (2, 3), {'b': none}] }} {{ () }} {{ (1,) }} {{ 1, 2 }} {{ {} }}",
    "{{ {'a': {'b': {}}} }}{{ {1: 'x', true: 'y', 'z': 2} }}",
    # Arithmetic, precedence
    "{{ 1 + 2 * 3 - 4 // 3 % 2 ** 3 }} {{ 7 / 2 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ - 3 | abs }}",
    "{{ 'a' + 'b' ~ 1 + 'c' }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'ab' * 3 }} {{ 2 * [0] }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' <= 'b' }} {{ [1, 2] > [1] }} {{ 1 == 1.0 == true }}",
    "{{ not 1 == 2 }} {{ not true and false or 'x' }} {{ '' or [] or 'y' }} {{ 0 and 1 }}",
    "{{ 'a' in 'abc' }} {{ 'a' not in ['b'] }} {{ 1 in (1, 2) }} {{ 'k' in {'k': 1} }}",
    "{{ 'yes' if 1 else 'no' }} {{ 'a' if 0 }} {{ 1 if 0 else 2 if 0 else 3 }} {{ not not 2 }}",
    # Items and slices
    "{{ messages[0].role }} {{ messages[0]['content'] }}",
    "{{ messages[-1].nothing }} {{ messages[9] }}",
    "{{ 'abcdef'[1:3] }} {{ 'abcdef'[::-1] }} {{ [1, 2, 3][-2:] }} {{ 'abc'[:-1] }} {{ 'abc'[1] }}",
    "{{ messages[1:] | length }} {{ {'items': 1}['items'] }} {{ {'a': 1}.get('b', 'c') }}",
    # Tests
    "{{ x is defined }} {{ x is not defined }} {{ x is undefined }} {{ bos_token is defined }}",
    "{{ 1 is number }} {{ 1.0 is float }} {{ true is integer }} {{ 'a' is string }} {{ 3 is odd }}",
    "{{ [] is iterable }} {{ {} is mapping }}",
    "{{ 'a' is sequence }} {{ none is none }} {{ 4 is even }}",
    "{{ true is true }} {{ 1 is true }} {{ false is false }}",
    "{{ true is boolean }} {{ none is defined }}",
    "{{ 9 is divisibleby 3 }} {{ 1 is eq 1 }}",
    "{{ 1 is ne(1) }} {{ 2 is in [1, 2] }} {{ 'a' is lower }}",
    "{{ 2 is gt 1 and 1 is lt 2 }} {{ x is none }} {{ range is callable }} {{ 1 is sameas 1 }}",
    # Filters
    "{{ ' a ' | trim }} {{ 'abc' | upper | lower | capitalize }} {{ 'one two-three' | title }}",
    "{{ x | default('d') }} {{ '' | default('d') }} {{ '' | default('d', true) }} {{ x | d }}",
    "{{ [3, 1, 2] | sort }} {{ ['b', 'A'] | sort }} {{ [3, 1] | sort(reverse=true) }}",
    "{{ [1, 2] | first }} {{ [1, 2] | last }} {{ [] | first }}",
    "{{ 'abc' | list }} {{ 'abc' | reverse }}",
    "{{ [1, 2] | join(', ') }}",
    "{{ messages | join('|', attribute='role') }} {{ ['a', 'b'] | join }}",
    "{{ messages | map(attribute='role') | list }} {{ [1, 2] | map('string') | list }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}",
    "{{ messages | rejectattr('role', '==', 'user') | map(attribute='role') | join }}",
    "{{ [0, 1, none] | select | list }} {{ [1, 'a'] | reject('string') | list }}",
    "{{ [1, 1, 'a', 'A'] | unique | list }}",
    "{{ [3, 9] | max }} {{ [3, 9] | min }} {{ [1, 2] | sum }}",
    "{{ {'b': 1, 'a': 2} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }}",
    "{{ {'a': 1} | items | list }} {{ '12' | int }}",
    "{{ 'x' | int(7) }} {{ '1.5' | float }} {{ 2.7 | int }}",
    "{{ 2.567 | round(1) }} {{ -3 | abs }}",
    "{{ 'aXa' | replace('a', 'b') }} {{ 'aaa' | replace('a', 'b', 2) }}",
    "{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|"
    "{{ 'a\n\nb' | indent(1, blank=true) }}",
    "{{ messages | tojson }} {{ messages | tojson(indent=2) }} {{ 'é<&\"' | tojson }}",
    "{{ 'é' | tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}",
    "{{ {'a': [1, 2]} | tojson(separators=(',', ':')) }} {{ 1.0 | tojson }} {{ none | string }}",
    "{{ 'abc' | length }} {{ [1, 2] | count }} {{ {'a': 1} | length }} {{ x | length }}",
    "{{ '<a>' | safe }} {{ 1 | string + 'x' }} {{ tools | selectattr('a') | list }}",
    # Methods
    "{{ ' a b '.split() }} {{ 'a,b,c'.split(',') }} {{ 'a,b,c'.split(',', 1)[-1] }}",
    "{{ 'a,b,c'.rsplit(',', 1) }} {{ 'xxaxx'.strip('x') }}",
    "{{ 'xa'.lstrip('x') }} {{ 'a\n'.rstrip() }}",
    "{{ 'abc'.startswith('a') }} {{ 'abc'.endswith(('b', 'c')) }} {{ 'aab'.replace('a', 'c', 1) }}",
    "{{ 'aB'.upper() }} {{ 'aB'.lower() }} {{ 'a b'.title() }}",
    "{{ 'ab'.find('b') }} {{ 'aa'.count('a') }}",
    "{{ 'a\nb'.splitlines() }} {{ '-'.join(['a', 'b']) }}",
    "{{ '12'.isdigit() }} {{ 'ab'.capitalize() }}",
    "{{ 'a{}b{}'.format(1, 'x') }} {{ '{1}{0}{{}}'.format(1, 2) }} {{ '{n}'.format(n=3) }}",
    "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}",
    "{{ {'a': 1}.keys() | list }} {{ {'a': 1}.values() | list }}",
    "{{ [1, 2, 1].count(1) }} {{ [5].index(5) }}",
    "{{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }}",
    # Loops
    "{% for m in messages %}{{ loop.index }}{{ loop.first }}{{ loop.last }}{{ loop.length }}"
    "{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.index0 }};{% endfor %}",
    "{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined }}<{{ m.role }}>"
    "{{ loop.nextitem.role if not loop.last }};{% endfor %}",
    "{% for m in messages if m.role == 'user' %}"
    "{{ loop.index }}{{ m.content }}{% else %}-{% endfor %}",
    "{% for x in [] %}a{% else %}b{% endfor %}{% for x in nothing %}a{% else %}c{% endfor %}",
    "{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}"
    "{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in range(3) %}{% for j in range(i) %}{{ i }}"
    "{{ j }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4]] %}{{ a + b }} {% endfor %}"
    "{% for (a, b) in [(1, 2)] %}{{ b }}{% endfor %}",
    "{% for c in 'abc' %}{{ c }}-{% endfor %}{{ range(2, 9, 3) | list }}",
    # Scopes
    "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}",
    "{% set n = namespace(x=0, s='') %}{% for i in [1, 2] %}"
    "{% set n.x = n.x + i %}{% endfor %}{{ n.x }}{{ n.s }}",
    "{% if true %}{% set x = 2 %}{% endif %}{{ x }}{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set x %}a{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y }}",
    "{% set x | upper | trim %} abc {% endset %}["
    "{{ x }}]{% filter upper %}a{{ 'b' }}{% endfilter %}",
    "{% set x = 1 %}{% macro f(a, b=2, c=none) %}{{ x }}{{ a }}{{ b }}{{ c }}{% endmacro %}"
    "{% set x = 5 %}{{ f(3) }}{{ f(3, c=4) }}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) | length }}",
    "{% macro f() %}{% set x = 9 %}{{ x }}{% endmacro %}"
    "{{ f() }}{{ x }}{% set y = f() %}{{ y + '!' }}",
    "{% generation %}{% set x = 1 %}a{{ x }}{% endgeneration %}{{ x }}",
    "{% for i in [1, 2] %}{% generation %}{{ i }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "{% if 0 %}a{% elif 0 %}b{% elif 1 %}c{% else %}d{% endif %}{% if x %}{% else %}e{% endif %}",
    "{{ strftime_now('%d %b %Y') }} {{ dict(a=1) }}",
    "{{ add_generation_prompt }} {{ tools is none }}",
    "{% if false %}{{ 1 | from_json }}{{ 1 is unheard_of }}{% endif %}-",
]


@pytest.mark.parametrize("source", PIECES)
def test_a_piece_is_rendered_as_by_jinja(source: str) -> None:
    talk = CONVERSATIONS["turns"]
    template = ChatTemplate(source, clock=lambda: NOW)
    assert template.render(talk.messages, talk.tools, True, VARIABLES) == rendered_by_jinja(
        source, talk
    )


REFUSED = [
    ("{% if x %}", "Line 1 of the chat template: the tag endif is missing."),
    ("a\n{% include 'x' %}", "Line 2 of the chat template: the tag 'include' is not known."),
    ("{% call f() %}{% endcall %}", "Line 1 of the chat template: the tag 'call' is not known."),
    ("{{ 1 +\n }}", "Line 2 of the chat template: the end has no place here."),
    ("{{ 'a }}", "Line 1 of the chat template: a text has no end."),
    ("\n\n{# a", "Line 3 of the chat template: a comment has no end."),
    ("{% raw %}", "Line 1 of the chat template: a raw block has no end."),
    ("{{ (1 }}", "Line 1 of the chat template: '}' closes nothing."),
    ("{{ 1 ? 2 }}", "Line 1 of the chat template: the sign '?' has no meaning."),
    ("{% set 1 = 2 %}", "Line 1 of the chat template: a name is missing before a integer."),
    ("{% break %}", "Line 1 of the chat template: break is outside of a loop."),
    ("{{ f(a=1, 2) }}", "Line 1 of the chat template: an argument without a name follows one "
     "with a name."),
    ("{{ a[] }}", "Line 1 of the chat template: the brackets have no key."),
    ("{% endfor %}", "Line 1 of the chat template: the tag 'endfor' is not known."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), REFUSED)
def test_what_cannot_be_read_is_named_with_its_line(source: str, sentence: str) -> None:
    with pytest.raises(TemplateError) as caught:
        ChatTemplate(source)
    assert str(caught.value) == sentence


FAILED = [
    ("\n{{ x.y }}", "Line 2 of the chat template: 'y' is read of 'x' (not defined)."),
    ("{{ 1 | from_json }}", "Line 1 of the chat template: the filter 'from_json' is not known."),
    ("{{ 1 is unheard }}", "Line 1 of the chat template: the test 'unheard' is not known."),
    ("{{ f() }}", "Line 1 of the chat template: 'f' (not defined) cannot be called."),
    ("{{ 1 + 'a' }}", "Line 1 of the chat template: + cannot stand between a value of type int "
     "and a value of type str."),
    ("{{ 1 / 0 }}", "Line 1 of the chat template: division by zero."),
    ("{{ messages.append(1) }}", "Line 1 of the chat template: 'append' (not defined) cannot be "
     "called."),
    ("{% set x.y = 1 %}", "Line 1 of the chat template: 'x' is no namespace."),
    ("{{ 'a'.split('') }}", "Line 1 of the chat template: split() has an empty separator."),
    ("{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "Line 1 of the chat template: the macro f "
     "takes 1 arguments."),
    ("{{ 'a' | trim(b=1) }}", "Line 1 of the chat template: trim has no place for 'b'."),
    ("{% for a, b in [1] %}{% endfor %}", "Line 1 of the chat template: a value of type int cannot "
     "be looped over."),
    ("{{ raise_exception('No \x1b[31msystem\n role. ') }}", "Line 1 of the chat template: it "
     "refuses this conversation: No  [31msystem  role."),
    (r"{{ '\ud800' }}", "The text of the conversation has half a character."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), FAILED)
def test_what_fails_is_a_sentence_with_its_line(source: str, sentence: str) -> None:
    template = ChatTemplate(source)
    with pytest.raises(TemplateError) as caught:
        template.render(CONVERSATIONS["user"].messages)
    assert str(caught.value) == sentence


def test_a_backslash_before_another_sign_stays() -> None:
    assert ChatTemplate(r"{{ '\s\\d\-' }}").render([]) == r"\s\d\-"


def test_a_long_refusal_is_shortened() -> None:
    template = ChatTemplate("{{ raise_exception('a' * 5000) }}")
    with pytest.raises(TemplateError) as caught:
        template.render([])
    assert str(caught.value).endswith("a" * 200 + ".")
    assert len(str(caught.value)) < 300


def test_a_template_is_given_plain_data_alone() -> None:
    template = ChatTemplate("")
    with pytest.raises(TemplateError, match="holds a value of type object"):
        template.render([{"content": object()}])
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(TemplateError, match="more than 64 levels"):
        template.render([{"content": deep}])


def test_rendering_changes_nothing_of_what_it_is_given() -> None:
    message = {"role": "user", "content": ["a"]}
    source = "{% set ns = namespace(m=messages) %}{% set ns.m = ns.m + [1] %}{{ ns.m | length }}"
    template = ChatTemplate(source)
    assert [template.render([message]) for _ in range(2)] == ["2", "2"]
    assert message == {"role": "user", "content": ["a"]}
