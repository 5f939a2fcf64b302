// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a value has: {@code value.name}, {@code value[key]}, {@code value[from:to:step]}. As in Jinja, a name stands for a method first
 * and then for an item, and a key for an item first. Methods that change a value are not there, as in Jinja's sandbox.
 */
final class Members {
    private final Budget budget;
    private final TextMethods textMethods;

    Members(Budget budget) {
        this.budget = budget;
        this.textMethods = new TextMethods(budget);
    }

    Object attribute(Object of, String name) {
        refuseUndefined(of);
        if (of instanceof Namespace namespace) {
            return namespace.get(name);
        }
        Optional<Function> method = method(of, name);
        if (method.isPresent()) {
            return method.get();
        }
        return of instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : new Undefined(name);
    }

    Object item(Object of, Object key) {
        refuseUndefined(of);
        if (key instanceof Long index && (of instanceof List<?> || of instanceof String)) {
            return at(of, index);
        }
        if (of instanceof Map<?, ?> map && map.containsKey(Values.key(key))) {
            return map.get(Values.key(key));
        }
        if (key instanceof String name) {
            return of instanceof Map<?, ?> && method(of, name).isEmpty() ? new Undefined(name) : attribute(of, name);
        }
        return new Undefined(Values.typeName(key));
    }

    private static void refuseUndefined(Object of) {
        if (of instanceof Undefined) {
            throw new TemplateFault(Message.of("%s has no parts", Values.typeName(of)));
        }
    }

    private Object at(Object of, long index) {
        long length = Values.length(of);
        long at = index < 0 ? index + length : index;
        if (at < 0 || at >= length) {
            return new Undefined(Long.toString(index));
        }
        if (of instanceof List<?> list) {
            return list.get((int) at);
        }
        String text = (String) of;
        budget.spendReading(text);
        return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)));
    }

    private Optional<Function> method(Object of, String name) {
        return switch (of) {
            case String text -> textMethods.of(text, name);
            case Map<?, ?> map -> Optional.ofNullable(method(map, name));
            case List<?> list -> Optional.ofNullable(method(list, name));
            case null, default -> Optional.empty();
        };
    }

    private Function method(Map<?, ?> map, String name) {
        budget.spend(map.size());
        return switch (name) {
            case "get" ->
                arguments -> {
                    Object key = Values.key(arguments.require(0, "key"));
                    return map.containsKey(key) ? map.get(key) : arguments.get(1, "default", null);
                };
            case "items" -> arguments -> pairs(map);
            case "keys" -> arguments -> new ArrayList<Object>(map.keySet());
            case "values" -> arguments -> new ArrayList<Object>(map.values());
            case "copy" -> arguments -> map;
            default -> null;
        };
    }

    private Function method(List<?> list, String name) {
        return switch (name) {
            case "index" ->
                arguments -> {
                    for (int i = 0; i < list.size(); i++) {
                        if (Values.areEqual(list.get(i), arguments.require(0, "value"), budget)) {
                            return (long) i;
                        }
                    }
                    throw new TemplateFault(Message.of("the list does not hold it"));
                };
            case "count" ->
                arguments -> list.stream()
                        .filter(item -> Values.areEqual(item, arguments.require(0, "value"), budget))
                        .count();
            case "copy" -> arguments -> list;
            default -> null;
        };
    }

    /** {@code map.items()}. */
    static List<Object> pairs(Map<?, ?> map) {
        List<Object> pairs = new ArrayList<>();
        map.forEach((key, value) -> {
            List<Object> pair = new ArrayList<>();
            Collections.addAll(pair, key, value);
            pairs.add(pair);
        });
        return pairs;
    }

    Object slice(Object of, Object from, Object to, Object step) {
        refuseUndefined(of);
        if (!(of instanceof String) && !(of instanceof List<?>)) {
            throw new TemplateFault(Message.of("%s has no parts", Values.typeName(of)));
        }
        long length = Values.length(of);
        long by = step == null ? 1 : Values.requireInteger(step);
        if (by == 0) {
            throw new TemplateFault(Message.of("the step of a slice is 0"));
        }
        long first = from == null ? (by > 0 ? 0 : length - 1) : bound(Values.requireInteger(from), length, by);
        long end = to == null ? (by > 0 ? length : -1) : bound(Values.requireInteger(to), length, by);
        budget.spend(length);
        if (of instanceof String text) {
            int[] characters = text.codePoints().toArray();
            StringBuilder part = new StringBuilder();
            for (long i = first; by > 0 ? i < end : i > end; i += by) {
                part.appendCodePoint(characters[(int) i]);
            }
            return part.toString();
        }
        List<?> list = (List<?>) of;
        List<Object> part = new ArrayList<>();
        for (long i = first; by > 0 ? i < end : i > end; i += by) {
            part.add(list.get((int) i));
        }
        return part;
    }

    private static long bound(long given, long length, long step) {
        long at = given < 0 ? Math.max(given, -length - 1) + length : given;
        return step > 0 ? Math.clamp(at, 0, length) : Math.clamp(at, -1, length - 1);
    }
}
