# SPDX-License-Identifier: Apache-2.0
"""Writes what Python's jinja2 renders of the templates here, with the settings that transformers gives it."""
import datetime
import json
import pathlib

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("body"), [], [], body).set_lineno(line)

    def body(self, caller):
        return caller()


def refuse(message):
    raise jinja2.TemplateError(message)


def dumps(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
environment.filters["tojson"] = dumps
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = lambda form: datetime.datetime(2025, 1, 2).strftime(form)


def rendered(template, variables):
    """None where it fails."""
    try:
        return environment.from_string(template).render(**variables)
    except Exception:
        return None


def written(name, rows):
    (here / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


here = pathlib.Path(__file__).parent
conversations = json.loads((here / "conversations.json").read_text("utf-8"))
written("expected.jsonl", [
    {"template": path.name, "conversation": name, "text": rendered(path.read_text("utf-8"), variables)}
    for path in sorted(here.glob("*.jinja")) for name, variables in conversations.items()])
snippets = json.loads((here / "snippets.json").read_text("utf-8"))
written("snippets.jsonl", [
    {"template": template, "text": rendered(template, snippets["variables"])} for template in snippets["templates"]])
