// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Jinja's filters, {@code value | name}, as far as chat templates use them. */
final class Filters {
    static final Set<String> NAMES = Set.of(
            "abs",
            "attr",
            "capitalize",
            "count",
            "d",
            "default",
            "dictsort",
            "first",
            "float",
            "indent",
            "int",
            "items",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "max",
            "min",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "round",
            "safe",
            "select",
            "selectattr",
            "sort",
            "string",
            "sum",
            "title",
            "tojson",
            "trim",
            "unique",
            "upper");

    private final Budget budget;
    private final Members members;
    private final TextMethods texts;

    Filters(Budget budget, Members members) {
        this.budget = budget;
        this.members = members;
        this.texts = new TextMethods(budget);
    }

    Object apply(String name, Object value, CallArguments arguments) {
        return switch (name) {
            case "abs" ->
                Values.number(value) instanceof Long n
                        ? (Object) Math.abs(n)
                        : (Object) Math.abs(Values.number(value).doubleValue());
            case "attr" -> members.attribute(value, arguments.text(0, "name"));
            case "capitalize" -> PythonText.capitalize(text(value));
            case "count", "length" -> Values.length(value instanceof String given ? text(given) : value);
            case "d", "default" -> fallback(value, arguments.only(2, "default_value", "boolean"));
            case "float" -> toFloat(value, arguments.get(0, "default", 0.0));
            case "int" -> toInteger(value, arguments.get(0, "default", 0L));
            case "indent" -> indent(text(value), arguments.only(3, "width", "first", "blank"));
            case "join" -> join(value, arguments.only(2, "d", "attribute"));
            case "lower" -> text(value).toLowerCase(Locale.ROOT);
            case "upper" -> text(value).toUpperCase(Locale.ROOT);
            case "replace" ->
                texts.replace(
                        text(value),
                        text(arguments.require(0, "old")),
                        text(arguments.require(1, "new")),
                        arguments.integer(2, "count", -1));
            case "round" -> round(value, arguments.only(2, "precision", "method"));
            case "safe", "string" -> text(value);
            case "title" -> PythonText.title(text(value));
            case "tojson" -> JsonText.of(value, arguments, budget);
            case "trim" -> TextMethods.strip(text(value), arguments, true, true);
            default -> ofItems(name, value, arguments);
        };
    }

    private Object ofItems(String name, Object value, CallArguments arguments) {
        boolean takesNothing =
                Set.of("map", "reject", "rejectattr", "select", "selectattr").contains(name);
        List<Object> items = takesNothing && !Values.isTrue(value) ? List.of() : Values.items(value);
        budget.spend(items.size());
        return switch (name) {
            case "dictsort" -> dictionarySorted(value, arguments);
            case "first" -> items.isEmpty() ? new Undefined("first") : items.getFirst();
            case "last" -> items.isEmpty() ? new Undefined("last") : items.getLast();
            case "items" -> value instanceof Map<?, ?> map ? Members.pairs(map) : items;
            case "list" -> items;
            case "map" -> mapped(items, arguments);
            case "max" -> items.isEmpty() ? new Undefined("max") : Collections.max(items, this::ignoringCase);
            case "min" -> items.isEmpty() ? new Undefined("min") : Collections.min(items, this::ignoringCase);
            case "reject" -> kept(items, item -> !passes(item, 0, arguments));
            case "select" -> kept(items, item -> passes(item, 0, arguments));
            case "rejectattr" -> kept(items, item -> !passes(path(item, arguments.text(0, "attribute")), 1, arguments));
            case "selectattr" -> kept(items, item -> passes(path(item, arguments.text(0, "attribute")), 1, arguments));
            case "reverse" ->
                value instanceof String text ? new StringBuilder(text).reverse().toString() : items.reversed();
            case "sort" -> sorted(items, arguments.only(3, "reverse", "case_sensitive", "attribute"));
            case "sum" -> {
                Object sum = arguments.get(1, "start", 0L);
                Object attribute = arguments.get(0, "attribute", null);
                Arithmetic arithmetic = new Arithmetic(budget);
                for (Object item : items) {
                    sum = arithmetic.apply("+", sum, attribute == null ? item : path(item, text(attribute)));
                }
                yield sum;
            }
            default -> unique(items);
        };
    }

    private String text(Object value) {
        String text = Values.text(value, budget);
        budget.spend(text.length());
        return text;
    }

    private static Object fallback(Object value, CallArguments arguments) {
        boolean missing = value instanceof Undefined
                || Values.isTrue(arguments.get(1, "boolean", false)) && !Values.isTrue(value);
        return missing ? arguments.get(0, "default_value", "") : value;
    }

    private static Object toInteger(Object value, Object fallback) {
        try {
            return switch (value) {
                case Boolean b -> b ? 1L : 0L;
                case Double d -> d.longValue();
                case Number n -> n;
                case String text -> (Object) Long.parseLong(PythonText.strip(text));
                case null, default -> fallback;
            };
        } catch (NumberFormatException e) {
            Object real = toFloat(value, null);
            return real == null ? fallback : (Object) ((Double) real).longValue();
        }
    }

    private static Object toFloat(Object value, Object fallback) {
        try {
            return switch (value) {
                case Boolean b -> b ? 1.0 : 0.0;
                case Number n -> n.doubleValue();
                case String text -> (Object) Double.parseDouble(PythonText.strip(text));
                case null, default -> fallback;
            };
        } catch (NumberFormatException e) {
            return fallback;
        }
    }

    private String indent(String text, CallArguments arguments) {
        Object width = arguments.get(0, "width", 4L);
        String indent =
                width instanceof String given ? given : " ".repeat(Math.clamp(Values.requireInteger(width), 0, 1000));
        boolean first = Values.isTrue(arguments.get(1, "first", false));
        boolean blank = Values.isTrue(arguments.get(2, "blank", false));
        String[] lines = text.split("\n", -1);
        budget.spend(text.length() + (long) lines.length * indent.length());
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < lines.length; i++) {
            boolean indents = i == 0 ? first : blank || !lines[i].isEmpty();
            result.append(i == 0 ? "" : "\n").append(indents ? indent : "").append(lines[i]);
        }
        return result.toString();
    }

    private String join(Object value, CallArguments arguments) {
        String between = text(arguments.get(0, "d", ""));
        Object attribute = arguments.get(1, "attribute", null);
        StringBuilder joined = new StringBuilder();
        boolean begun = false;
        for (Object item : Values.items(value)) {
            joined.append(begun ? between : "").append(text(attribute == null ? item : path(item, text(attribute))));
            budget.spend(between.length());
            begun = true;
        }
        return joined.toString();
    }

    private Object round(Object value, CallArguments arguments) {
        if (Values.number(value) instanceof Long n
                && arguments.get(1, "method", "common").equals("common")) {
            return n;
        }
        double factor = Math.pow(10, arguments.integer(0, "precision", 0));
        double scaled = Values.number(value).doubleValue() * factor;
        return switch (text(arguments.get(1, "method", "common"))) {
            case "ceil" -> Math.ceil(scaled) / factor;
            case "floor" -> Math.floor(scaled) / factor;
            default -> Math.rint(scaled) / factor;
        };
    }

    /** {@code a.b.c} of an item, where a part may be an index. */
    private Object path(Object item, String names) {
        Object value = item;
        for (String name : names.split("\\.", -1)) {
            value = members.item(value, name.matches("\\d{1,9}") ? (Object) Long.valueOf(name) : name);
        }
        return value;
    }

    private List<Object> mapped(List<Object> items, CallArguments arguments) {
        List<Object> mapped = new ArrayList<>();
        boolean byAttribute = arguments.named().containsKey("attribute");
        for (Object item : items) {
            if (byAttribute) {
                Object value = path(item, text(arguments.named().get("attribute")));
                boolean missing =
                        value instanceof Undefined && arguments.named().containsKey("default");
                mapped.add(missing ? arguments.named().get("default") : value);
            } else {
                String name = arguments.text(0, "filter");
                if (!NAMES.contains(name)) {
                    throw new TemplateFault(Message.of("there is no filter '%s' here", name));
                }
                mapped.add(apply(name, item, rest(arguments, 1)));
            }
        }
        return mapped;
    }

    private static CallArguments rest(CallArguments arguments, int from) {
        return new CallArguments(
                arguments.positional().subList(from, arguments.positional().size()), arguments.named());
    }

    private List<Object> kept(List<Object> items, Predicate<Object> is) {
        List<Object> kept = new ArrayList<>();
        for (Object item : items) {
            if (is.test(item)) {
                kept.add(item);
            }
        }
        return kept;
    }

    /** @param at where the name of the test stands; without one, the value itself decides */
    private boolean passes(Object value, int at, CallArguments arguments) {
        if (arguments.positional().size() <= at) {
            return Values.isTrue(value);
        }
        String name = Values.requireText(arguments.positional().get(at))
                .replace("==", "eq")
                .replace("!=", "ne");
        if (!Tests.NAMES.contains(name)) {
            throw new TemplateFault(Message.of("there is no test '%s' here", name));
        }
        return Tests.apply(name, value, rest(arguments, at + 1), budget);
    }

    private int ignoringCase(Object a, Object b) {
        return Values.compare(lowerCase(a), lowerCase(b), budget);
    }

    private Object lowerCase(Object value) {
        return value instanceof String given ? text(given).toLowerCase(Locale.ROOT) : value;
    }

    private List<Object> sorted(List<Object> items, CallArguments arguments) {
        Object attribute = arguments.get(2, "attribute", null);
        boolean byCase = Values.isTrue(arguments.get(1, "case_sensitive", false));
        List<Object> sorted = new ArrayList<>(items);
        boolean reverse = Values.isTrue(arguments.get(0, "reverse", false));
        sorted.sort((a, b) -> {
            Object x = attribute == null ? a : path(a, text(attribute));
            Object y = attribute == null ? b : path(b, text(attribute));
            int order = byCase ? Values.compare(x, y, budget) : ignoringCase(x, y);
            return reverse ? -order : order;
        });
        return sorted;
    }

    private List<Object> dictionarySorted(Object value, CallArguments arguments) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateFault(Message.of("%s is no dict", Values.typeName(value)));
        }
        long by = text(arguments.get(1, "by", "key")).equals("value") ? 1 : 0;
        boolean byCase = Values.isTrue(arguments.get(0, "case_sensitive", false));
        boolean reverse = Values.isTrue(arguments.get(2, "reverse", false));
        List<Object> pairs = Members.pairs(map);
        pairs.sort((a, b) -> {
            Object x = ((List<?>) a).get((int) by);
            Object y = ((List<?>) b).get((int) by);
            int order = byCase ? Values.compare(x, y, budget) : ignoringCase(x, y);
            return reverse ? -order : order;
        });
        return pairs;
    }

    private List<Object> unique(List<Object> items) {
        Map<Object, Object> seen = new LinkedHashMap<>();
        for (Object item : items) {
            seen.putIfAbsent(Values.key(lowerCase(item)), item);
        }
        return new ArrayList<>(seen.values());
    }
}
