// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates against what Python's jinja2 makes of them (expected.py beside them), and hostile ones against the budget. */
class JinjaTemplateTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path TEMPLATES = Path.of("src", "test", "resources", "chat-templates");
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2025-01-02T00:00:00Z"), ZoneOffset.UTC);

    private static Object value(JsonNode node) {
        if (node.isObject()) {
            return map(node);
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(item -> list.add(value(item)));
            return list;
        }
        return node.isNull()
                ? null
                : node.isBoolean()
                        ? (Object) node.booleanValue()
                        : node.isIntegralNumber()
                                ? (Object) node.longValue()
                                : node.isNumber() ? (Object) node.doubleValue() : node.textValue();
    }

    private static Map<String, Object> map(JsonNode node) {
        Map<String, Object> map = new LinkedHashMap<>();
        node.properties().forEach(e -> map.put(e.getKey(), value(e.getValue())));
        return map;
    }

    /** Null where it fails. */
    private static String rendered(String template, JsonNode variables) {
        try {
            return JinjaTemplate.parse(template, "test", CLOCK).render(map(variables));
        } catch (TelechatException e) {
            return null;
        }
    }

    private static void check(String template, JsonNode variables, JsonNode expected) {
        assertEquals(expected.isNull() ? null : expected.textValue(), rendered(template, variables), template);
    }

    @Test
    void snippetsRenderAsInPython() throws IOException {
        JsonNode variables =
                MAPPER.readTree(TEMPLATES.resolve("snippets.json").toFile()).get("variables");
        for (String line : Files.readAllLines(TEMPLATES.resolve("snippets.jsonl"))) {
            JsonNode row = MAPPER.readTree(line);
            check(row.get("template").textValue(), variables, row.get("text"));
        }
    }

    @Test
    void chatTemplatesRenderAsInPython() throws IOException {
        JsonNode conversations =
                MAPPER.readTree(TEMPLATES.resolve("conversations.json").toFile());
        for (String line : Files.readAllLines(TEMPLATES.resolve("expected.jsonl"))) {
            JsonNode row = MAPPER.readTree(line);
            String template =
                    Files.readString(TEMPLATES.resolve(row.get("template").textValue()));
            check(template, conversations.get(row.get("conversation").textValue()), row.get("text"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ x | shout }}",
                "{{ x is shouted }}",
                "{% include 'file' %}",
                "{% import 'file' as f %}",
                "{% extends 'file' %}",
                "{% shout %}"
            })
    void whatIsNotKnownIsNamedBeforeAnythingIsRendered(String template) {
        InvalidModelException e =
                assertThrows(InvalidModelException.class, () -> JinjaTemplate.parse("\n" + template, "file"));
        assertTrue(
                e.getMessage().matches("file: .* line 2: there is no (filter|test|tag) '\\w+' here"), e.getMessage());
    }

    @Test
    void refusalsOfATemplateAreHandedOn() {
        JinjaTemplate template = JinjaTemplate.parse("{{ raise_exception('take turns') }}", "file");
        InvalidRequestException e = assertThrows(InvalidRequestException.class, () -> template.render(Map.of()));
        assertTrue(e.getMessage().endsWith("take turns"), e.getMessage());
    }

    @Test
    void faultsNameTheirLine() {
        JinjaTemplate template = JinjaTemplate.parse("a\nb\n{{ 'x' + none }}", "file");
        InvalidRequestException e = assertThrows(InvalidRequestException.class, () -> template.render(Map.of()));
        assertTrue(e.getMessage().contains("line 3: + cannot be done with str and None"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set n = namespace(t='x') %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}",
                "{% set n = namespace(t='x') %}{% for a in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
                "{% set n = namespace(t=[1]) %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}",
                "{% set n = namespace(t=[1]) %}{% for a in range(99) %}{% set n.t = [n.t, n.t] %}{% endfor %}{{ n.t }}",
                "{% set n = namespace(t=[1]) %}{% for a in range(99) %}{% set n.t = [n.t, n.t] %}{% endfor %}"
                        + "{{ n.t | tojson }}",
                "{% set n = namespace(t=[1], u=[1]) %}{% for a in range(99) %}{% set n.t = [n.t, n.t] %}"
                        + "{% set n.u = [n.u, n.u] %}{% endfor %}{{ n.t == n.u }}",
                "{% set n = namespace(t=[1]) %}{% for a in range(99999) %}{% set n.t = [n.t] %}{% endfor %}{{ n.t }}",
                "{{ 'x' * 99999999999 }}",
                "{{ [1] * 9999999999 }}",
                "{{ 'x'.replace('', 'y' * 9999999).replace('', 'y' * 9999999) }}",
                "{{ ('y' * 999999).join(range(99999) | map('string') | list) }}",
                "{{ 9 ** 9 ** 9 }}",
                "{{ range(999999) | list }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(x) %}{{ x | map('m') }}{{ caller() }}{% endmacro %}{% call m([1]) %}{% call m([2]) %}"
                        + "{% endcall %}{% endcall %}{{ 1 / 0 }}",
                "{% set s = 'ab ' * 999999 %}{% for a in range(99999) %}{{ s.split() | length }}{% endfor %}",
                "{% set s = 'ab ' * 999999 %}{% for a in range(99999) %}{{ 'q' in s }}{% endfor %}",
                "{% set s = 'ab ' * 999999 %}{% for a in range(99999) %}{{ s | length }}{{ s[-1] }}{% endfor %}",
                "{% set s = 'ab ' * 999999 %}{% set t = 'ab ' * 999999 %}{% for a in range(99999) %}{{ s == t }}{%"
                        + " endfor %}",
                "{{ (['ab ' * 999999] * 99999) | tojson }}",
                "{{ (['ab ' * 999999] * 99999) | unique | list }}",
                "{{ (['ab ' * 999999] * 99999) | sort }}",
                "{{ (['ab ' * 999999] * 99999) | join }}",
                "{{ ['ab ' * 999999] * 99999 }}",
                "{% set s = 'ab ' * 999999 %}{% for a in range(99999) %}{{ s[1:] is none }}{% endfor %}"
            })
    void whatWouldNotEndIsStopped(String template) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertThrows(
                        TelechatException.class,
                        () -> JinjaTemplate.parse(template, "file").render(Map.of())));
    }

    @Test
    void nestingIsBounded() {
        for (String deep : List.of("(", "[", "{1:", "not ", "-", "x[", "x(", "1 if 1 else ")) {
            assertThrows(TelechatException.class, () -> JinjaTemplate.parse("{{ " + deep.repeat(50_000), "file"));
        }
        for (String deep : List.of("{% if 1 %}", "{% for a in x %}", "{% if 1 %}{% elif 1 %}", "{% macro m() %}")) {
            assertThrows(TelechatException.class, () -> JinjaTemplate.parse(deep.repeat(20_000), "file"));
        }
        JinjaTemplate sum = JinjaTemplate.parse("{{ 1" + " + 1".repeat(50_000) + " }}", "file");
        assertThrows(InvalidRequestException.class, () -> sum.render(Map.of()));
    }

    @Test
    void nothingOfThisProgramCanBeReached() {
        for (String name : List.of("class", "getClass", "__class__", "toString", "hashCode", "source", "forName")) {
            for (String of : List.of("''", "[]", "{}", "1", "namespace()", "range", "loop", "raise_exception")) {
                String template = "{{ (" + of + ")." + name + " is defined }}";
                String text = rendered(template, MAPPER.createObjectNode());
                assertTrue(text == null || text.equals("False"), template + " is " + text);
            }
        }
    }

    @Test
    void garbageIsRefusedOrRendered() {
        SplittableRandom random = new SplittableRandom(5);
        List<String> parts = List.of(
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                "-",
                "+",
                "if",
                "for",
                "in",
                "x",
                "endfor",
                "endif",
                "else",
                "set",
                "=",
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                ":",
                ",",
                ".",
                "|",
                "is",
                "not",
                "'a'",
                "\"",
                "1",
                "2.5",
                " ",
                "\n",
                "~",
                "macro",
                "endmacro",
                "raw",
                "endraw",
                "length",
                "defined",
                "\\",
                "é");
        for (int i = 0; i < 20_000; i++) {
            StringBuilder template = new StringBuilder();
            for (int j = random.nextInt(15); j >= 0; j--) {
                template.append(parts.get(random.nextInt(parts.size()))).append(random.nextBoolean() ? " " : "");
            }
            rendered(template.toString(), MAPPER.createObjectNode().put("x", "y")); // no other exception
        }
    }
}
