// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Values as Python has them. There are texts, numbers (Long, Double), Boolean, None (null), lists, maps, {@link Undefined},
 * {@link Namespace} and {@link Function}: nothing through which a template could reach anything else.
 */
final class Values {
    private Values() {}

    static boolean isTrue(Object value) {
        return switch (value) {
            case null -> false;
            case Boolean b -> b;
            case String s -> !s.isEmpty();
            case Long n -> n != 0;
            case Double d -> d != 0;
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Undefined u -> false;
            default -> true;
        };
    }

    /** True and False are 1 and 0. */
    static boolean isNumber(Object value) {
        return value instanceof Number || value instanceof Boolean;
    }

    static Number number(Object value) {
        return switch (value) {
            case Boolean b -> b ? 1L : 0L;
            case Number n -> n;
            case null, default -> throw new TemplateFault(Message.of("%s is no number", typeName(value)));
        };
    }

    static long requireInteger(Object value) {
        if (number(value) instanceof Long n) {
            return n;
        }
        throw new TemplateFault(Message.of("%s is no integer", typeName(value)));
    }

    static String requireText(Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateFault(Message.of("%s is no text", typeName(value)));
    }

    static boolean areEqual(Object a, Object b, Budget budget) {
        budget.spend(1);
        if (isNumber(a) && isNumber(b)) {
            return number(a) instanceof Long x && number(b) instanceof Long y
                    ? x.equals(y)
                    : number(a).doubleValue() == number(b).doubleValue();
        }
        if (a instanceof String text && b instanceof String) {
            budget.spendReading(text);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            boolean equal = x.size() == y.size();
            for (int i = 0; equal && i < x.size(); i++) {
                equal = areEqual(x.get(i), y.get(i), budget);
            }
            return equal;
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            return x.size() == y.size()
                    && x.entrySet().stream()
                            .allMatch(e ->
                                    y.containsKey(e.getKey()) && areEqual(e.getValue(), y.get(e.getKey()), budget));
        }
        return Objects.equals(a, b);
    }

    /** @throws TemplateFault if there is no order between the two */
    static int compare(Object a, Object b, Budget budget) {
        budget.spend(1);
        if (isNumber(a) && isNumber(b)) {
            return number(a) instanceof Long x && number(b) instanceof Long y
                    ? x.compareTo(y)
                    : Double.compare(number(a).doubleValue(), number(b).doubleValue());
        }
        if (a instanceof String x && b instanceof String y) {
            budget.spendReading(x);
            return PythonText.compare(x, y);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
                if (!areEqual(x.get(i), y.get(i), budget)) {
                    return compare(x.get(i), y.get(i), budget);
                }
            }
            return Integer.compare(x.size(), y.size());
        }
        throw new TemplateFault(Message.of("%s and %s cannot be compared", typeName(a), typeName(b)));
    }

    static boolean contains(Object whole, Object part, Budget budget) {
        return switch (whole) {
            case String text -> {
                budget.spendReading(text);
                yield text.contains(requireText(part));
            }
            case List<?> list -> list.stream().anyMatch(item -> areEqual(item, part, budget));
            case Map<?, ?> map -> map.containsKey(key(part));
            case Undefined u -> false;
            case null, default -> throw new TemplateFault(Message.of("%s holds nothing", typeName(whole)));
        };
    }

    /** What a map is asked for: 1, 1.0 and True are one key. */
    static Object key(Object value) {
        return switch (value) {
            case Boolean b -> number(b);
            case Double d when d == Math.rint(d) && Math.abs(d) < 1e15 -> d.longValue();
            case List<?> list -> throw new TemplateFault(Message.of("%s is no key", typeName(value)));
            case Map<?, ?> map -> throw new TemplateFault(Message.of("%s is no key", typeName(value)));
            case null -> null;
            default -> value;
        };
    }

    /** What a loop goes through: of a map, its keys. */
    static List<Object> items(Object value) {
        return switch (value) {
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String text ->
                new ArrayList<>(text.codePoints().mapToObj(Character::toString).toList());
            case Undefined u -> new ArrayList<>();
            case null, default -> throw new TemplateFault(Message.of("%s cannot be gone through", typeName(value)));
        };
    }

    /** Without making a copy of a text's characters. */
    static long length(Object value) {
        return switch (value) {
            case String text -> text.codePointCount(0, text.length());
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case Undefined u -> 0;
            case null, default -> throw new TemplateFault(Message.of("%s has no length", typeName(value)));
        };
    }

    /** {@code str(value)}, which is what is written. */
    static String text(Object value, Budget budget) {
        return switch (value) {
            case String text -> text;
            case Undefined u -> "";
            case null, default -> {
                StringBuilder text = new StringBuilder();
                write(value, text, budget);
                yield text.toString();
            }
        };
    }

    /** {@code repr(value)}, which lists and maps are written with. */
    private static void write(Object value, StringBuilder to, Budget budget) {
        budget.enter();
        switch (value) {
            case null -> to.append("None");
            case Boolean b -> to.append(b ? "True" : "False");
            case String text -> {
                budget.spend(text.length());
                to.append(PythonText.quoted(text));
            }
            case Double d -> to.append(text(d));
            case Number n -> to.append(n);
            case Undefined u -> to.append("Undefined");
            case List<?> list -> {
                String between = "[";
                for (Object item : list) {
                    to.append(between);
                    write(item, to, budget);
                    between = ", ";
                }
                to.append(list.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> map -> {
                String between = "{";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    to.append(between);
                    write(entry.getKey(), to, budget);
                    to.append(": ");
                    write(entry.getValue(), to, budget);
                    between = ", ";
                }
                to.append(map.isEmpty() ? "{}" : "}");
            }
            default -> throw new TemplateFault(Message.of("%s cannot be written", typeName(value)));
        }
        budget.leave();
    }

    static String text(double d) {
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            return Double.isNaN(d) ? "nan" : d > 0 ? "inf" : "-inf";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(d)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (d == 0 || exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            String sign = d == 0 && 1 / d < 0 ? "-" : "";
            return sign + plain + (plain.contains(".") ? "" : ".0");
        }
        String digits = shortest.unscaledValue().abs().toString();
        return (d < 0 ? "-" : "")
                + digits.charAt(0)
                + (digits.length() > 1 ? "." + digits.substring(1) : "")
                + "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    /** As Python says it, for complaints. */
    static String typeName(Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean b -> "bool";
            case String s -> "str";
            case Double d -> "float";
            case Number n -> "int";
            case List<?> list -> "list";
            case Map<?, ?> map -> "dict";
            case Undefined u -> u.name().isEmpty() ? "undefined" : "undefined '" + u.name() + "'";
            default -> value instanceof Function ? "function" : "namespace";
        };
    }
}
