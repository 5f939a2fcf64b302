// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.math.Readings.Reading;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The part of {@link LatexReader} that knows functions. */
final class LatexFunctions {
    private static final Expression TEN = new Expression.Whole(BigDecimal.TEN);

    /** Those of which the power -1 is the inverse function. */
    private static final Set<String> INVERTED_BY_POWER =
            Set.of("sin", "cos", "tan", "csc", "sec", "cot", "sinh", "cosh", "tanh");

    private final LatexReader reader;

    private final LatexAtoms atoms;

    LatexFunctions(LatexReader reader, LatexAtoms atoms) {
        this.reader = reader;
        this.atoms = atoms;
    }

    List<Reading> at(int at) {
        LatexToken token = reader.token(at);
        return switch (token.kind()) {
            case FUNCTION -> namedFunction(at);
            case LETTER, SYMBOL -> appliedName(at);
            case MARK ->
                switch (token.text()) {
                    case "sqrt" -> root(at + 1);
                    case "overline" ->
                        Readings.map(reader.enclosed("{", at + 1, "}"), inner -> Expression.call("conjugate", inner));
                    default -> List.of();
                };
            default -> List.of();
        };
    }

    private List<Reading> root(int at) {
        Readings found = new Readings();
        for (Reading degree : reader.enclosed("[", at, "]")) {
            found.addAll(Readings.map(
                    reader.enclosed("{", degree.end(), "}"),
                    inner -> new Expression.Power(inner, degree.expression().inverse())));
        }
        found.addAll(
                Readings.map(reader.enclosed("{", at, "}"), inner -> new Expression.Power(inner, Expression.HALF)));
        return found.list();
    }

    /** A function such as \sin, with an index and an exponent in any order, of what is in parentheses or of the next factors. */
    private List<Reading> namedFunction(int at) {
        String name = reader.token(at).text();
        Readings found = new Readings();
        for (Scripts scripts : scripts(at + 1)) {
            List<Reading> arguments = new ArrayList<>();
            if (reader.token(scripts.end).is("(")) {
                for (List<Reading> several : arguments(scripts.end + 1)) {
                    arguments.add(new Reading(
                            several.getFirst().expression(), several.getLast().end() + 1));
                }
            }
            arguments.addAll(reader.product(scripts.end, false));
            found.addAll(Readings.map(arguments, argument -> apply(name, scripts, argument)));
        }
        return found.list();
    }

    private record Scripts(Optional<Expression> lower, Optional<Expression> upper, int end) {}

    private List<Scripts> scripts(int at) {
        List<Scripts> found = new ArrayList<>();
        for (Reading lower : reader.script("_", at)) {
            for (Reading upper : reader.script("^", lower.end())) {
                found.add(new Scripts(Optional.of(lower.expression()), Optional.of(upper.expression()), upper.end()));
            }
            found.add(new Scripts(Optional.of(lower.expression()), Optional.empty(), lower.end()));
        }
        for (Reading upper : reader.script("^", at)) {
            for (Reading lower : reader.script("_", upper.end())) {
                found.add(new Scripts(Optional.of(lower.expression()), Optional.of(upper.expression()), lower.end()));
            }
            found.add(new Scripts(Optional.empty(), Optional.of(upper.expression()), upper.end()));
        }
        found.add(new Scripts(Optional.empty(), Optional.empty(), at));
        return found;
    }

    private static Expression apply(String name, Scripts scripts, Expression argument) {
        boolean inverted = INVERTED_BY_POWER.contains(name)
                && scripts.upper.filter(LatexFunctions::isMinusOne).isPresent();
        Expression value = switch (name) {
            case "log", "ln" ->
                scripts.lower
                        .map(base -> Expression.call("log", argument, base))
                        .orElse(Expression.call("log", argument));
            case "lg" -> Expression.call("log", argument, scripts.lower.orElse(TEN));
            default ->
                Expression.call(inverted ? "arc" + name : name.replaceFirst("^ar(?=[sct][a-z]+h)", "arc"), argument);
        };
        return scripts.upper.isPresent() && !inverted ? new Expression.Power(value, scripts.upper.get()) : value;
    }

    private static boolean isMinusOne(Expression expression) {
        return expression.equals(new Expression.Whole(BigDecimal.ONE).negated());
    }

    /** A name before a parenthesis. */
    private List<Reading> appliedName(int at) {
        Readings found = new Readings();
        for (Reading name : atoms.name(at)) {
            if (reader.token(name.end()).is("(") && name.expression() instanceof Expression.Symbol symbol) {
                for (List<Reading> several : arguments(name.end() + 1)) {
                    List<Expression> values =
                            several.stream().map(Reading::expression).toList();
                    found.add(
                            new Expression.Call("\\" + symbol.name(), values),
                            several.getLast().end() + 1);
                }
            }
        }
        return found.list();
    }

    /** Expressions with commas between them and a closing parenthesis after them. */
    private List<List<Reading>> arguments(int at) {
        List<List<Reading>> found = new ArrayList<>();
        for (Reading first : reader.sum(at)) {
            if (reader.token(first.end()).is(",")) {
                arguments(first.end() + 1).forEach(rest -> found.add(before(first, rest)));
            }
            if (reader.token(first.end()).is(")")) {
                found.add(List.of(first));
            }
        }
        return found;
    }

    private static List<Reading> before(Reading first, List<Reading> rest) {
        List<Reading> all = new ArrayList<>(List.of(first));
        all.addAll(rest);
        return all;
    }
}
