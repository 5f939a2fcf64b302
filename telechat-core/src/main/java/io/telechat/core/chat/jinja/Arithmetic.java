// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;

/** Python's operators between two values. */
final class Arithmetic {
    private final Budget budget;

    Arithmetic(Budget budget) {
        this.budget = budget;
    }

    Object apply(String operator, Object left, Object right) {
        if (operator.equals("+") && left instanceof String a && right instanceof String b) {
            budget.spend((long) a.length() + b.length());
            return a + b;
        }
        if (operator.equals("+") && left instanceof List<?> a && right instanceof List<?> b) {
            budget.spend((long) a.size() + b.size());
            List<Object> both = new ArrayList<>(a);
            both.addAll(b);
            return both;
        }
        if (operator.equals("*") && (left instanceof String || left instanceof List)) {
            return repeated(left, right);
        }
        if (operator.equals("*") && (right instanceof String || right instanceof List)) {
            return repeated(right, left);
        }
        if (!Values.isNumber(left) || !Values.isNumber(right)) {
            throw new TemplateFault(Message.of(
                    "%s cannot be done with %s and %s", operator, Values.typeName(left), Values.typeName(right)));
        }
        try {
            return Values.number(left) instanceof Long a
                            && Values.number(right) instanceof Long b
                            && !operator.equals("/")
                    ? integers(operator, a, b)
                    : reals(
                            operator,
                            Values.number(left).doubleValue(),
                            Values.number(right).doubleValue());
        } catch (ArithmeticException e) {
            throw new TemplateFault(Message.of("%s goes wrong: too large a number, or a division by zero", operator));
        }
    }

    private Object repeated(Object what, Object count) {
        int times = Math.clamp(Values.requireInteger(count), 0, Integer.MAX_VALUE);
        if (what instanceof String text) {
            budget.spend((long) text.length() * times);
            return text.repeat(times);
        }
        List<?> list = (List<?>) what;
        budget.spend((long) list.size() * times);
        List<Object> all = new ArrayList<>();
        for (int i = 0; i < (list.isEmpty() ? 0 : times); i++) {
            all.addAll(list);
        }
        return all;
    }

    private static Object integers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> Math.addExact(a, b);
            case "-" -> Math.subtractExact(a, b);
            case "*" -> Math.multiplyExact(a, b);
            case "//" -> Math.floorDivExact(a, b);
            case "%" -> Math.floorMod(a, b);
            default -> b < 0 ? (Object) Math.pow(a, b) : power(a, b);
        };
    }

    private static long power(long base, long exponent) {
        if (base >= -1 && base <= 1) {
            return base == -1 && exponent % 2 == 0 ? 1 : exponent == 0 ? 1 : base;
        }
        long result = 1;
        for (long i = 0; i < exponent; i++) { // overflows within 63 rounds
            result = Math.multiplyExact(result, base);
        }
        return result;
    }

    private static Object reals(String operator, double a, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new ArithmeticException(operator);
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            default -> Math.pow(a, b);
        };
    }
}
