"""Templates of strangers: each ends in a sentence, within its steps and bytes."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from studio.runtime.generate.template import ChatTemplate, TemplateError, TemplateLimits
from tests.rigs.chat_templates import CONVERSATIONS, VARIABLES

GROWING = "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
DOUBLED = GROWING + "{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}"
NESTED = (
    "{% set n = namespace(x=(1,)) %}{% for i in range(9999) %}{% set n.x = (n.x,) %}{% endfor %}"
)

OUTSIDE = {
    "the class of a text": "{{ ''.__class__.__mro__ }}",
    "by an item": "{{ messages['__class__'] }}",
    "by a path": "{{ messages | map(attribute='__class__') | list }}",
    "by a test of a path": "{{ messages | selectattr('role.__class__.__base__') | list }}",
    "the filter attr": "{{ '' | attr('__class__') }}",
    "the globals of a function": "{{ range.__self__ }}",
    "a constructor": "{{ namespace.__init__.__globals__ }}",
    "a helper of Jinja": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "the template itself": "{{ self._TemplateReference__context }}",
    "a field of a format": "{{ '{0.__class__}'.format(1) }}",
    "an item of a format": "{{ '{0[a]}'.format(messages) }}",
    "a format filter": "{{ '%s' | format(1) }}",
    "a format operator": "{{ '%s' % 1 }}",
    "a change of a list": "{{ messages.append(1) }}",
    "a change of a dictionary": "{{ messages[0].update(a=1) }}",
    "a file": "{% include '/etc/passwd' %}",
    "a module": "{% import 'os' as os %}",
    "a format of a time": "{{ strftime_now('%999999999d') }}",
}
"""By name; each tries to leave the table of what a template may do."""

GREEDY = {
    "a range": "{{ range(10**9) }}",
    "a text": "{{ 'a' * 10**9 }}",
    "a list": "{{ [1] * 10**9 }}",
    "a power": "{{ 9**9**9 }}",
    "a width": "{{ '{:>1000000000}'.format(1) }}",
    "loops": "{% for a in range(9999) %}" * 3 + "x" + "{% endfor %}" * 3,
    "a text that doubles": "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}"
    "{% set n.x = n.x + n.x %}{% endfor %}",
    "texts that are kept": "{% set n = namespace(x=[]) %}{% for i in range(9999) %}"
    "{% set n.x = n.x + ['a' * 1000000 ~ i] %}{% endfor %}",
    "output": "{% set a = 'a' * 8000000 %}{% for i in range(99) %}{{ a }}{% endfor %}",
    "a macro in itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a default in itself": "{% macro f(n=f()) %}{% endmacro %}{{ f() }}",
    "macros that double": "{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% endif %}"
    "{% endmacro %}{{ f(30) }}",
    "brackets": "{{ " + "(" * 30000 + ")" * 30000 + " }}",
    "lists": "{{ " + "[" * 1000 + "]" * 1000 + " }}",
    "blocks": "{% if 1 %}" * 5000,
    "signs": "{{ " + "-" * 60000 + "1 }}",
    "dots": "{{ a" + ".b" * 30000 + " }}",
    "filters": "{{ a" + "|e" * 30000 + " }}",
    "conditions": "{{ 1" + " if 1 else 1" * 5000 + " }}",
    "a long template": "x" * 1_000_000,
    "doubled lists as JSON": DOUBLED + "{{ n.x | tojson }}",
    "doubled lists as text": DOUBLED + "{{ n.x }}",
    "doubled lists compared": DOUBLED + "{{ n.x == n.y }}",
    "doubled lists in order": DOUBLED + "{{ n.x < n.y }}",
    "a doubled list in a list": DOUBLED + "{{ n.x in [n.y] }}",
    "nested tuples as a key": NESTED + "{{ {n.x: 1} }}",
    "nested tuples as text": NESTED + "{{ n.x }}",
    "nested tuples that are unique": NESTED + "{{ [n.x] | unique }}",
    "a namespace in itself": "{% set n = namespace() %}{% set n.x = n %}{{ n }}",
    "replacements": "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
    "a join": "{{ ('a' * 1000000).join(['a'] * 1000000) }}",
    "comparisons": "{% set a = 'a' * 4000000 %}{% set b = 'a' * 4000000 %}"
    "{% for i in range(99999) %}{% if a == b %}{% endif %}{% endfor %}",
    "searches": "{% set a = 'a' * 4000000 %}{% set b = 'a' * 2000000 ~ 'b' %}"
    "{% for i in range(99999) %}{% if b in a %}{% endif %}{% endfor %}",
    "searches of a list": "{% set a = range(99999) | list %}"
    "{% for i in range(99999) %}{% if 'x' in a %}{% endif %}{% endfor %}",
    "an indent of JSON": "{{ messages | tojson(indent=10**9) }}",
    "an indent": "{{ ('\n' * 100000) | indent(10**8) }}",
    "digits": "{{ " + "9" * 60000 + " }}",
    "lines": "{{ ('\n' * 8000000).splitlines() }}",
    "fields": "{{ ('{0}' * 2000000).format('') }}",
    "mapped filters": "{{ range(99999)" + " | map('string')" * 20 + " | list }}",
    "orders": "{% for i in range(999) %}{% set x = range(99999) | sort %}{% endfor %}",
    "tags without end": "{{" * 30000,
    "spaces": "{%" + " " * 60000,
}
"""By name; each tries to use up the time or the memory of who renders it."""


@pytest.mark.parametrize("name", [*OUTSIDE, *GREEDY])
def test_it_ends_in_a_sentence(name: str) -> None:
    with pytest.raises(TemplateError) as caught:
        ChatTemplate({**OUTSIDE, **GREEDY}[name]).render(CONVERSATIONS["turns"].messages)
    sentence = str(caught.value)
    assert sentence.count(".") >= 1
    assert len(sentence) < 300
    assert sentence.isprintable()


def test_names_of_python_are_texts_when_a_dictionary_has_them() -> None:
    source = "{{ messages[0].__class__ }}"
    assert ChatTemplate(source).render([{"__class__": "data"}]) == "data"


@pytest.mark.parametrize("name", ["texts that are kept", "output", "searches", "lines"])
def test_memory_stays_within_the_work(name: str) -> None:
    source = GREEDY[name]
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            ChatTemplate(source).render(CONVERSATIONS["turns"].messages)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1.5 * TemplateLimits().work


def test_limits_are_those_that_are_given() -> None:
    limits = TemplateLimits(source=99, steps=10, value=20, work=1000)
    with pytest.raises(TemplateError, match="has 100 characters, more than 99"):
        ChatTemplate("a" * 100, limits)
    with pytest.raises(TemplateError, match="more than 10 steps"):
        ChatTemplate("{% for i in range(9) %}{{ i }}{% endfor %}", limits).render([])
    with pytest.raises(TemplateError, match="more than 20 characters"):
        ChatTemplate("{{ 'a' * 21 }}", limits).render([])
    with pytest.raises(TemplateError, match="more than 1000 bytes"):
        ChatTemplate("{{ [1] * 200 }}", limits).render([])


WHOLE = """{%- macro shown(x, depth=0) %}{% if x is mapping and depth < 3 %}
{%- for k, v in x | dictsort %}{{ k }}: {{ shown(v, depth + 1) }}{% endfor %}
{%- else %}{{ x | tojson }}{% endif %}{% endmacro %}
{%- set ns = namespace(last=-1, text='') %}
{% for message in messages if message.role != 'system' %}
    {%- if loop.first and tools %}{{ shown(tools[0].function) }}{% endif %}
    {%- if message.content is string %}
{{ '<|' ~ message.role ~ '|>' + message['content'].split('</think>')[-1].strip('\\n ') }}
    {%- elif message.content is iterable %}{{ message.content | map(attribute='text') | join(' ') }}
    {%- else %}{% continue %}{% endif %}
    {%- set ns.last = loop.index0 %}{# counted #}
    {%- set ns.text %}{{ ns.text }}{{ 'x' if ns.last % 2 == 0 else 'y' * 2 }}{% endset %}
{% endfor %}
{{- ns.text[::-1] | upper }}{% raw %}{{ }}{% endraw %}
{%- if add_generation_prompt %}{% generation %}<|assistant|>{% endgeneration %}{% endif %}"""
PARTS = (
    *("{%", "%}", "{{", "}}", "{#", "-", "(", ")", "[", "]", "|", ".", "'", "~", "**", "*", ","),
    *(" not ", " is ", " in ", " if ", " else ", "{% endif %}", "{% endfor %}", "{% break %}"),
    *("99999", "range(99999)", "messages", "ns", "loop", "shown(", "{% raw %}", "__class__"),
)


def _mutant(chance: random.Random) -> str:
    source = WHOLE
    for _ in range(chance.randint(1, 2)):
        start = chance.randrange(len(source))
        end = min(len(source), start + chance.randint(0, 12))
        kept = chance.choice(("", chance.choice(PARTS), source[start:end] * 2))
        source = source[:start] + kept + source[end:]
    return source


def test_mutants_of_a_template_end_in_a_text_or_a_sentence() -> None:
    chance = random.Random(7)
    limits = TemplateLimits(steps=20_000, value=100_000, work=1_000_000)
    texts: list[str] = []
    sentences: list[str] = []
    for _ in range(600):
        talk = CONVERSATIONS[chance.choice(list(CONVERSATIONS))]
        try:
            texts.append(ChatTemplate(_mutant(chance), limits).render(*talk, True, VARIABLES))
        except TemplateError as error:
            sentences.append(str(error))
    assert min(len(texts), len(sentences)) > 50
    assert max(map(len, texts)) <= limits.value
    assert all(sentence.isprintable() for sentence in sentences)
