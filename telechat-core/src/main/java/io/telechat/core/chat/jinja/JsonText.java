// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** JSON as {@code json.dumps(value, ensure_ascii=False)} writes it, which templates show tools to models in. */
final class JsonText {
    private final Budget budget;
    private final String itemSeparator;
    private final String keySeparator;
    private final String indent;
    private final boolean indented;
    private final boolean sorted;
    private final boolean ascii;
    private final StringBuilder json = new StringBuilder();

    private JsonText(Budget budget, CallArguments how) {
        this.budget = budget;
        Object given = how.get(1, "indent", null);
        this.indented = given != null;
        this.indent = given instanceof String text
                ? text
                : indented ? " ".repeat(Math.clamp(Values.requireInteger(given), 0, 32)) : "";
        Object separators = how.get(2, "separators", null);
        List<Object> both = separators == null ? List.of() : Values.items(separators);
        this.itemSeparator = both.size() == 2 ? Values.requireText(both.get(0)) : indented ? "," : ", ";
        this.keySeparator = both.size() == 2 ? Values.requireText(both.get(1)) : ": ";
        this.sorted = Values.isTrue(how.get(3, "sort_keys", false));
        this.ascii = Values.isTrue(how.get(0, "ensure_ascii", false));
    }

    /** @param how the filter's arguments: {@code ensure_ascii, indent, separators, sort_keys} */
    static String of(Object value, CallArguments how, Budget budget) {
        JsonText text = new JsonText(budget, how.only(4, "ensure_ascii", "indent", "separators", "sort_keys"));
        text.write(value, 0);
        return text.json.toString();
    }

    private void write(Object value, int depth) {
        budget.enter();
        switch (value) {
            case null -> json.append("null");
            case Boolean b -> json.append(b.booleanValue());
            case String text -> writeText(text);
            case Double d when d.isNaN() -> json.append("NaN");
            case Double d when d.isInfinite() -> json.append(d > 0 ? "Infinity" : "-Infinity");
            case Double d -> json.append(Values.text(d.doubleValue()));
            case Number n -> json.append(n);
            case List<?> list -> {
                List<Runnable> items = new ArrayList<>();
                list.forEach(item -> items.add(() -> write(item, depth + 1)));
                writeAll('[', items, ']', depth);
            }
            case Map<?, ?> map -> {
                List<Runnable> items = new ArrayList<>();
                (sorted ? sorted(map) : map)
                        .forEach((key, item) -> items.add(() -> {
                            writeText(key(key));
                            json.append(keySeparator);
                            write(item, depth + 1);
                        }));
                writeAll('{', items, '}', depth);
            }
            default -> throw new TemplateFault(Message.of("%s cannot be written as JSON", Values.typeName(value)));
        }
        budget.leave();
    }

    private void writeAll(char open, List<Runnable> items, char close, int depth) {
        json.append(open);
        for (int i = 0; i < items.size(); i++) {
            json.append(i == 0 ? "" : itemSeparator);
            newLine(depth + 1);
            items.get(i).run();
        }
        if (!items.isEmpty()) {
            newLine(depth);
        }
        json.append(close);
    }

    private void newLine(int depth) {
        if (indented) {
            budget.spend((long) indent.length() * depth);
            json.append('\n').append(indent.repeat(depth));
        }
    }

    private static Map<String, Object> sorted(Map<?, ?> map) {
        Map<String, Object> sorted = new TreeMap<>(PythonText::compare);
        map.forEach((key, value) -> sorted.put(key(key), value));
        return sorted;
    }

    private static String key(Object key) {
        return switch (key) {
            case String text -> text;
            case Long n -> n.toString();
            case Double d -> Values.text(d.doubleValue());
            case null -> "null";
            default -> throw new TemplateFault(Message.of("%s is no key", Values.typeName(key)));
        };
    }

    private void writeText(String text) {
        budget.spend(text.length());
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\b' -> json.append("\\b");
                case '\f' -> json.append("\\f");
                default -> {
                    if (c < ' ' || ascii && c > '~') {
                        json.append("\\u%04x".formatted((int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
