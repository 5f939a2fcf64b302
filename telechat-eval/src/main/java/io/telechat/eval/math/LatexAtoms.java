// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.math.LatexToken.Kind;
import io.telechat.eval.math.Readings.Reading;
import java.math.BigDecimal;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The part of {@link LatexReader} that knows names, numbers, fractions and binomial coefficients. */
final class LatexAtoms {
    private final LatexReader reader;

    LatexAtoms(LatexReader reader) {
        this.reader = reader;
    }

    List<Reading> at(int at) {
        LatexToken token = reader.token(at);
        return switch (token.kind()) {
            case LETTER, SYMBOL -> name(at);
            case DIGIT -> number(at);
            case DIFFERENTIAL -> List.of(new Reading(new Expression.Symbol(token.text()), at + 1));
            case MARK ->
                switch (token.text()) {
                    case "frac" -> fraction(at + 1);
                    case "binom" -> binomial(at + 1);
                    case "mathit" -> italic(at + 1);
                    default -> List.of();
                };
            default -> List.of();
        };
    }

    /** A letter or a command with a subscript and primes in any order. */
    List<Reading> name(int at) {
        String base = reader.token(at).text();
        if (base.equals("infty")) {
            return List.of(new Reading(new Expression.Undefined(base), at + 1));
        }
        boolean primesFirst = reader.token(at + 1).kind() == Kind.PRIMES;
        String primes = primesFirst ? reader.token(at + 1).text() : "";
        int next = primesFirst ? at + 2 : at + 1;
        Readings found = new Readings();
        for (Reading lower : reader.script("_", next)) {
            String name = base + "_{" + lower.expression().label() + "}";
            if (!primesFirst && reader.token(lower.end()).kind() == Kind.PRIMES) {
                found.add(new Expression.Symbol(name + reader.token(lower.end()).text()), lower.end() + 1);
            }
            found.add(new Expression.Symbol(name + primes), lower.end());
        }
        found.add(new Expression.Symbol(base + primes), next);
        return found.list();
    }

    /**
     * Digits with commas before groups of three and a decimal point; or those before the first comma; or all of these but the last
     * one, which {@code \log_28} needs. A point belongs to the digits before it, even if none follow; then the last of those digits
     * is lost with it, so that {@code 50.} reads as 5.
     */
    private List<Reading> number(int at) {
        int end = digitsEnd(at);
        int groupsEnd = end;
        while (reader.token(groupsEnd).is(",") && hasDigits(groupsEnd + 1, 3)) {
            groupsEnd += 4;
        }
        if (reader.token(groupsEnd).is(".")) {
            int decimalsEnd = digitsEnd(groupsEnd + 1);
            if (decimalsEnd > groupsEnd + 1) {
                boolean second = reader.token(decimalsEnd).is(".");
                return numbers(
                        at, groupsEnd + 1, second ? List.of(decimalsEnd - 1, decimalsEnd) : List.of(decimalsEnd));
            }
            return numbers(at, at, List.of(groupsEnd > end ? end : end - 1));
        }
        return numbers(at, at, List.of(groupsEnd, end, end - 1));
    }

    private List<Reading> numbers(int at, int beyond, List<Integer> ends) {
        return ends.stream()
                .distinct()
                .filter(end -> end > beyond)
                .map(end -> number(at, end))
                .toList();
    }

    private Reading number(int at, int end) {
        String digits = IntStream.range(at, end)
                .mapToObj(i -> reader.token(i).text())
                .filter(text -> !text.equals(","))
                .collect(Collectors.joining());
        if (digits.contains(".")) {
            return new Reading(new Expression.Decimal(new BigDecimal(digits)), end);
        }
        // SymPy refuses integers with leading zeros
        return new Reading(
                digits.startsWith("0") && digits.length() > 1
                        ? new Expression.Undefined(digits)
                        : new Expression.Whole(new BigDecimal(digits)),
                end);
    }

    private int digitsEnd(int at) {
        int end = at;
        while (reader.token(end).kind() == Kind.DIGIT) {
            end++;
        }
        return end;
    }

    private boolean hasDigits(int at, int count) {
        for (int i = 0; i < count; i++) {
            if (reader.token(at + i).kind() != Kind.DIGIT) {
                return false;
            }
        }
        return true;
    }

    private List<Reading> fraction(int at) {
        Readings found = new Readings();
        for (Reading upper : digitOrGroup(at)) {
            for (Reading lower : digitOrGroup(upper.end())) {
                boolean derivative = lower.expression() instanceof Expression.Symbol
                        && reader.token(lower.end() - 2).kind() == Kind.DIFFERENTIAL;
                Expression quotient = Expression.product(
                        upper.expression(), lower.expression().inverse());
                found.add(derivative ? new Expression.Undefined("derivative") : quotient, lower.end());
            }
        }
        return found.list();
    }

    private List<Reading> digitOrGroup(int at) {
        LatexToken token = reader.token(at);
        return token.kind() == Kind.DIGIT
                ? List.of(new Reading(new Expression.Whole(new BigDecimal(token.text())), at + 1))
                : reader.enclosed("{", at, "}");
    }

    private List<Reading> binomial(int at) {
        Readings found = new Readings();
        for (Reading upper : reader.enclosed("{", at, "}")) {
            found.addAll(Readings.map(
                    reader.enclosed("{", upper.end(), "}"),
                    lower -> Expression.call("binomial", upper.expression(), lower)));
        }
        return found.list();
    }

    private List<Reading> italic(int at) {
        StringBuilder name = new StringBuilder();
        int end = at + 1;
        while (reader.token(at).is("{") && reader.token(end).kind() == Kind.LETTER) {
            name.append(reader.token(end++).text());
        }
        return !name.isEmpty() && reader.token(end).is("}")
                ? List.of(new Reading(new Expression.Symbol(name.toString()), end + 1))
                : List.of();
    }
}
