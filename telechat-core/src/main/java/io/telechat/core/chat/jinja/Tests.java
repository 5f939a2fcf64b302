// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Jinja's tests, {@code value is name}. */
final class Tests {
    static final Set<String> NAMES = Set.of(
            "defined",
            "undefined",
            "none",
            "boolean",
            "true",
            "false",
            "integer",
            "float",
            "number",
            "string",
            "mapping",
            "sequence",
            "iterable",
            "callable",
            "odd",
            "even",
            "divisibleby",
            "lower",
            "upper",
            "eq",
            "equalto",
            "ne",
            "lt",
            "lessthan",
            "le",
            "gt",
            "greaterthan",
            "ge",
            "in",
            "sameas");

    private Tests() {}

    static boolean apply(String name, Object value, CallArguments arguments, Budget budget) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "integer" -> value instanceof Number && !(value instanceof Double);
            case "float" -> value instanceof Double;
            case "number" -> Values.isNumber(value);
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map;
            case "sequence", "iterable" ->
                value instanceof String || value instanceof List || value instanceof Map || value instanceof Undefined;
            case "callable" -> value instanceof Function;
            case "odd" -> Math.floorMod(Values.requireInteger(value), 2L) == 1;
            case "even" -> Math.floorMod(Values.requireInteger(value), 2L) == 0;
            case "lower" -> isCased(value, text -> text.toLowerCase(Locale.ROOT), budget);
            case "upper" -> isCased(value, text -> text.toUpperCase(Locale.ROOT), budget);
            default -> compared(name, value, arguments.require(0, "other"), budget);
        };
    }

    private static boolean isCased(Object value, UnaryOperator<String> cased, Budget budget) {
        String text = Values.text(value, budget);
        budget.spend(text.length());
        return text.equals(cased.apply(text)) && !text.toLowerCase(Locale.ROOT).equals(text.toUpperCase(Locale.ROOT));
    }

    private static boolean compared(String name, Object value, Object other, Budget budget) {
        return switch (name) {
            case "divisibleby" -> {
                long by = Values.requireInteger(other);
                if (by == 0) {
                    throw new TemplateFault(
                            Message.of("%s goes wrong: too large a number, or a division by zero", name));
                }
                yield Math.floorMod(Values.requireInteger(value), by) == 0;
            }
            case "ne" -> !Values.areEqual(value, other, budget);
            case "lt", "lessthan" -> Values.compare(value, other, budget) < 0;
            case "le" -> Values.compare(value, other, budget) <= 0;
            case "gt", "greaterthan" -> Values.compare(value, other, budget) > 0;
            case "ge" -> Values.compare(value, other, budget) >= 0;
            case "in" -> Values.contains(other, value, budget);
            case "sameas" -> value == other || value instanceof Boolean && value.equals(other);
            default -> Values.areEqual(value, other, budget);
        };
    }
}
