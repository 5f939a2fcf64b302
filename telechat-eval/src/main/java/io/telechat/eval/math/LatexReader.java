// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.math.LatexToken.Kind;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads formulas as the LaTeX parser of SymPy 1.14 does, which lm-evaluation-harness asks: what stands side by side is multiplied,
 * every letter is a variable ({@code e}, {@code i} and {@code \pi} too), a letter before a parenthesis is a function, {@code 2^10}
 * is 1024, a subscript is part of a name, tuples, sets and matrices are not read.
 *
 * <p>That grammar is ambiguous and its text need not end where it ends. The reading taken is the first, longest one that covers the
 * whole text; if there is none, the first that covers a part from the start, so that {@code 1,2} reads as 1 and {@code 101_2} as 101.
 * Hence each rule gives all its readings from a place, the preferred ones first.
 */
final class LatexReader {
    /** Longer or deeper texts are not read. */
    private static final int MAX_TOKENS = 512;

    private static final int MAX_DEPTH = 60;

    private static final Expression TEN = new Expression.Whole(BigDecimal.TEN);

    private static final Set<String> BY_POWER_INVERTED =
            Set.of("sin", "cos", "tan", "csc", "sec", "cot", "sinh", "cosh", "tanh");

    private final List<LatexToken> tokens;

    private final Map<String, List<Reading>> known = new HashMap<>();

    private int depth;

    private boolean failed;

    /** @param end index of the first token that is not covered */
    private record Reading(Expression expression, int end) {}

    private LatexReader(List<LatexToken> tokens) {
        this.tokens = tokens;
    }

    /** Empty where the text does not begin with a formula, or is an equation or a comparison. */
    static Optional<Expression> read(String text) {
        List<LatexToken> tokens = LatexToken.of(text);
        if (tokens.size() > MAX_TOKENS) {
            return Optional.empty();
        }
        return new LatexReader(tokens).read();
    }

    private Optional<Expression> read() {
        List<Reading> readings = sum(0);
        if (failed || readings.isEmpty()) {
            return Optional.empty();
        }
        for (Reading reading : readings) {
            if (tokens.get(reading.end).kind() == Kind.END) {
                return Optional.of(reading.expression);
            }
        }
        Reading first = readings.getFirst();
        Kind next = token(first.end).kind();
        return failed || next == Kind.RELATION ? Optional.empty() : Optional.of(first.expression);
    }

    // expr: terms joined by + and -
    private List<Reading> sum(int at) {
        return once("sum", at, () -> {
            Readings found = new Readings();
            for (Reading term : product(at, true)) {
                moreTerms(List.of(term.expression), term.end, found);
            }
            return found;
        });
    }

    private void moreTerms(List<Expression> terms, int at, Readings found) {
        if (found.isKnown(at)) {
            return;
        }
        boolean minus = token(at).is("-");
        if (minus || token(at).is("+")) {
            for (Reading next : product(at + 1, true)) {
                moreTerms(plus(terms, minus ? next.expression.negated() : next.expression), next.end, found);
            }
        }
        found.add(terms.size() == 1 ? terms.getFirst() : new Expression.Sum(terms), at);
    }

    // mp, mp_nofunc: factors joined by * and /
    private List<Reading> product(int at, boolean functions) {
        return once("product" + functions, at, () -> {
            Readings found = new Readings();
            for (Reading factor : unary(at, functions)) {
                moreFactors(factor.expression, factor.end, functions, found);
            }
            return found;
        });
    }

    private void moreFactors(Expression left, int at, boolean functions, Readings found) {
        if (found.isKnown(at)) {
            return;
        }
        boolean division = token(at).is("/");
        if (division || token(at).is("*")) {
            for (Reading next : unary(at + 1, functions)) {
                Expression right = division ? next.expression.inverse() : next.expression;
                moreFactors(Expression.product(left, right), next.end, functions, found);
            }
        }
        found.add(left, at);
    }

    // unary, unary_nofunc: signs, then factors side by side; without functions only the first may be one
    private List<Reading> unary(int at, boolean functions) {
        return once("unary" + functions, at, () -> {
            Readings found = new Readings();
            if (token(at).is("+") || token(at).is("-")) {
                for (Reading next : unary(at + 1, functions)) {
                    found.add(token(at).is("-") ? next.expression.negated() : next.expression, next.end);
                }
                return found;
            }
            for (Reading factor : postfix(at, true)) {
                moreBeside(List.of(factor.expression), factor.end, functions, found);
            }
            return found;
        });
    }

    private void moreBeside(List<Expression> factors, int at, boolean functions, Readings found) {
        if (found.isKnown(at)) {
            return;
        }
        for (Reading next : postfix(at, functions)) {
            moreBeside(plus(factors, next.expression), next.end, functions, found);
        }
        found.add(besides(factors), at);
    }

    /** Their product. An x between two that hold no variables is a sign of multiplication. */
    private static Expression besides(List<Expression> factors) {
        List<Expression> kept = new ArrayList<>();
        for (int i = 0; i < factors.size(); i++) {
            boolean times = i > 0
                    && i < factors.size() - 1
                    && factors.get(i).isSymbol("x")
                    && !factors.get(i - 1).hasSymbols()
                    && !factors.get(i + 1).hasSymbols();
            if (!times) {
                kept.add(factors.get(i));
            }
        }
        return kept.size() == 1 ? kept.getFirst() : new Expression.Product(kept);
    }

    private List<Reading> postfix(int at, boolean functions) {
        return once("postfix" + functions, at, () -> {
            Readings found = new Readings();
            for (Reading power : power(at, functions)) {
                List<Reading> factorials = new ArrayList<>(List.of(power));
                while (token(factorials.getLast().end).is("!")) {
                    Reading last = factorials.getLast();
                    factorials.add(new Reading(Expression.call("factorial", last.expression), last.end + 1));
                }
                found.addAll(factorials.reversed());
            }
            return found;
        });
    }

    private List<Reading> power(int at, boolean functions) {
        Readings found = new Readings();
        for (Reading base : component(at, functions)) {
            morePowers(base, found);
        }
        return found.list();
    }

    private void morePowers(Reading base, Readings found) {
        for (Reading exponent : script("^", base.end)) {
            Expression power = new Expression.Power(base.expression, exponent.expression);
            for (Reading lowered : script("_", exponent.end)) {
                morePowers(new Reading(power, lowered.end), found);
            }
            morePowers(new Reading(power, exponent.end), found);
        }
        found.add(base.expression, base.end);
    }

    /** A sign, then an atom or an expression in braces. */
    private List<Reading> script(String sign, int at) {
        Readings found = new Readings();
        if (token(at).is(sign)) {
            found.addAll(atom(at + 1));
            found.addAll(enclosed("{", at + 1, "}"));
        }
        return found.list();
    }

    private List<Reading> component(int at, boolean functions) {
        Readings found = new Readings();
        found.addAll(enclosed("(", at, ")"));
        found.addAll(enclosed("[", at, "]"));
        found.addAll(enclosed("{", at, "}"));
        found.addAll(enclosed("\\{", at, "\\}"));
        found.addAll(map(enclosed("|", at, "|"), inner -> Expression.call("abs", inner)));
        if (functions) {
            found.addAll(function(at));
        }
        found.addAll(atom(at));
        found.addAll(map(enclosed("lfloor", at, "rfloor"), inner -> Expression.call("floor", inner)));
        found.addAll(map(enclosed("lceil", at, "rceil"), inner -> Expression.call("ceiling", inner)));
        return found.list();
    }

    private List<Reading> enclosed(String open, int at, String close) {
        return token(at).is(open) ? closed(sum(at + 1), close) : List.of();
    }

    private List<Reading> closed(List<Reading> readings, String close) {
        return readings.stream()
                .filter(reading -> token(reading.end).is(close))
                .map(reading -> new Reading(reading.expression, reading.end + 1))
                .toList();
    }

    private List<Reading> function(int at) {
        LatexToken token = token(at);
        return switch (token.kind()) {
            case FUNCTION -> namedFunction(at);
            case LETTER, SYMBOL -> appliedName(at);
            case MARK ->
                switch (token.text()) {
                    case "sqrt" -> root(at + 1);
                    case "overline" -> map(enclosed("{", at + 1, "}"), inner -> Expression.call("conjugate", inner));
                    default -> List.of();
                };
            default -> List.of();
        };
    }

    private List<Reading> root(int at) {
        Readings found = new Readings();
        for (Reading degree : enclosed("[", at, "]")) {
            found.addAll(map(
                    enclosed("{", degree.end, "}"), inner -> new Expression.Power(inner, degree.expression.inverse())));
        }
        found.addAll(map(enclosed("{", at, "}"), inner -> new Expression.Power(inner, Expression.HALF)));
        return found.list();
    }

    /** A function such as \sin, with an index and an exponent in any order, of what is in parentheses or of the next factors. */
    private List<Reading> namedFunction(int at) {
        String name = token(at).text();
        Readings found = new Readings();
        for (Scripts scripts : scripts(at + 1)) {
            List<Reading> arguments = new ArrayList<>();
            if (token(scripts.end).is("(")) {
                for (List<Reading> several : arguments(scripts.end + 1)) {
                    arguments.add(new Reading(several.getFirst().expression, several.getLast().end + 1));
                }
            }
            arguments.addAll(product(scripts.end, false));
            found.addAll(map(arguments, argument -> apply(name, scripts, argument)));
        }
        return found.list();
    }

    private record Scripts(Optional<Expression> lower, Optional<Expression> upper, int end) {}

    private List<Scripts> scripts(int at) {
        List<Scripts> found = new ArrayList<>();
        for (Reading lower : script("_", at)) {
            for (Reading upper : script("^", lower.end)) {
                found.add(new Scripts(Optional.of(lower.expression), Optional.of(upper.expression), upper.end));
            }
            found.add(new Scripts(Optional.of(lower.expression), Optional.empty(), lower.end));
        }
        for (Reading upper : script("^", at)) {
            for (Reading lower : script("_", upper.end)) {
                found.add(new Scripts(Optional.of(lower.expression), Optional.of(upper.expression), lower.end));
            }
            found.add(new Scripts(Optional.empty(), Optional.of(upper.expression), upper.end));
        }
        found.add(new Scripts(Optional.empty(), Optional.empty(), at));
        return found;
    }

    private static Expression apply(String name, Scripts scripts, Expression argument) {
        boolean inverted = BY_POWER_INVERTED.contains(name)
                && scripts.upper.filter(LatexReader::isMinusOne).isPresent();
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
        for (Reading name : name(at)) {
            if (token(name.end).is("(") && name.expression instanceof Expression.Symbol symbol) {
                for (List<Reading> several : arguments(name.end + 1)) {
                    List<Expression> values =
                            several.stream().map(Reading::expression).toList();
                    found.add(new Expression.Call("\\" + symbol.name(), values), several.getLast().end + 1);
                }
            }
        }
        return found.list();
    }

    /** Expressions with commas between them and a closing parenthesis after them. */
    private List<List<Reading>> arguments(int at) {
        List<List<Reading>> found = new ArrayList<>();
        for (Reading first : sum(at)) {
            if (token(first.end).is(",")) {
                arguments(first.end + 1).forEach(rest -> found.add(plus(rest, 0, first)));
            }
            if (token(first.end).is(")")) {
                found.add(List.of(first));
            }
        }
        return found;
    }

    private List<Reading> atom(int at) {
        LatexToken token = token(at);
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
    private List<Reading> name(int at) {
        String base = token(at).text();
        boolean primesFirst = token(at + 1).kind() == Kind.PRIMES;
        String primes = primesFirst ? token(at + 1).text() : "";
        int next = primesFirst ? at + 2 : at + 1;
        Readings found = new Readings();
        for (Reading lower : script("_", next)) {
            String name = base + "_{" + lower.expression.text() + "}";
            if (!primesFirst && token(lower.end).kind() == Kind.PRIMES) {
                found.add(new Expression.Symbol(name + token(lower.end).text()), lower.end + 1);
            }
            found.add(new Expression.Symbol(name + primes), lower.end);
        }
        found.add(new Expression.Symbol(base + primes), next);
        return found.list();
    }

    /** Digits with commas before groups of three and a decimal point, or fewer of them: the longest first. */
    private List<Reading> number(int at) {
        List<Reading> found = new ArrayList<>();
        StringBuilder digits = new StringBuilder();
        int end = at;
        while (token(end).kind() == Kind.DIGIT) {
            digits.append(token(end++).text());
            found.add(new Reading(new Expression.Whole(new BigDecimal(digits.toString())), end));
        }
        while (token(end).is(",") && hasDigits(end + 1, 3)) {
            for (int i = 1; i <= 3; i++) {
                digits.append(token(end + i).text());
            }
            end += 4;
            found.add(new Reading(new Expression.Whole(new BigDecimal(digits.toString())), end));
        }
        if (token(end).is(".")) {
            // the point belongs to the number, whatever follows it
            found.clear();
            digits.append('.');
            end++;
            failed |= token(end).kind() != Kind.DIGIT;
            while (token(end).kind() == Kind.DIGIT) {
                digits.append(token(end++).text());
                found.add(new Reading(new Expression.Decimal(new BigDecimal(digits.toString())), end));
            }
        }
        return found.reversed();
    }

    private boolean hasDigits(int at, int count) {
        for (int i = 0; i < count; i++) {
            if (token(at + i).kind() != Kind.DIGIT) {
                return false;
            }
        }
        return true;
    }

    private List<Reading> fraction(int at) {
        Readings found = new Readings();
        for (Reading upper : digitOrGroup(at)) {
            for (Reading lower : digitOrGroup(upper.end)) {
                // a derivative, which is not computed
                failed |= lower.expression instanceof Expression.Symbol
                        && token(lower.end - 2).kind() == Kind.DIFFERENTIAL;
                found.add(Expression.product(upper.expression, lower.expression.inverse()), lower.end);
            }
        }
        return found.list();
    }

    private List<Reading> digitOrGroup(int at) {
        LatexToken token = token(at);
        return token.kind() == Kind.DIGIT
                ? List.of(new Reading(new Expression.Whole(new BigDecimal(token.text())), at + 1))
                : enclosed("{", at, "}");
    }

    private List<Reading> binomial(int at) {
        Readings found = new Readings();
        for (Reading upper : enclosed("{", at, "}")) {
            found.addAll(
                    map(enclosed("{", upper.end, "}"), lower -> Expression.call("binomial", upper.expression, lower)));
        }
        return found.list();
    }

    private List<Reading> italic(int at) {
        StringBuilder name = new StringBuilder();
        int end = at + 1;
        while (token(at).is("{") && token(end).kind() == Kind.LETTER) {
            name.append(token(end++).text());
        }
        return !name.isEmpty() && token(end).is("}")
                ? List.of(new Reading(new Expression.Symbol(name.toString()), end + 1))
                : List.of();
    }

    private LatexToken token(int at) {
        LatexToken token = tokens.get(Math.min(at, tokens.size() - 1));
        failed |= token.kind() == Kind.INVALID;
        return token;
    }

    /** The readings of a rule from a place, computed once. */
    private List<Reading> once(String rule, int at, java.util.function.Supplier<Readings> readings) {
        String key = rule + at;
        List<Reading> found = known.get(key);
        if (found == null) {
            failed |= ++depth > 6 * MAX_DEPTH;
            found = failed ? List.of() : readings.get().list();
            depth--;
            known.put(key, found);
        }
        return found;
    }

    private static List<Reading> map(List<Reading> readings, java.util.function.UnaryOperator<Expression> change) {
        return readings.stream()
                .map(reading -> new Reading(change.apply(reading.expression), reading.end))
                .toList();
    }

    private static <T> List<T> plus(List<T> list, T last) {
        return plus(list, list.size(), last);
    }

    private static <T> List<T> plus(List<T> list, int at, T element) {
        List<T> longer = new ArrayList<>(list);
        longer.add(at, element);
        return longer;
    }

    /** Readings in the order of preference, one for each end. */
    private static final class Readings {
        private final Map<Integer, Reading> byEnd = new LinkedHashMap<>();

        private final Set<Integer> seen = new java.util.HashSet<>();

        /** Whether this was asked before with that end: what follows from there is known. */
        boolean isKnown(int end) {
            return !seen.add(end);
        }

        void add(Expression expression, int end) {
            byEnd.putIfAbsent(end, new Reading(expression, end));
        }

        void addAll(List<Reading> readings) {
            readings.forEach(reading -> byEnd.putIfAbsent(reading.end, reading));
        }

        List<Reading> list() {
            return List.copyOf(byEnd.values());
        }
    }
}
