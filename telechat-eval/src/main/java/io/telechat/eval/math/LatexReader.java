// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import io.telechat.eval.math.LatexToken.Kind;
import io.telechat.eval.math.Readings.Reading;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

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

    private final List<LatexToken> tokens;

    private final LatexAtoms atoms = new LatexAtoms(this);

    private final LatexFunctions functions = new LatexFunctions(this, atoms);

    private final Map<String, List<Reading>> known = new HashMap<>();

    private int depth;

    private boolean failed;

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
            if (tokens.get(reading.end()).kind() == Kind.END) {
                return Optional.of(reading.expression());
            }
        }
        Reading first = readings.getFirst();
        Kind next = token(first.end()).kind();
        return failed || next == Kind.RELATION ? Optional.empty() : Optional.of(first.expression());
    }

    // expr: terms joined by + and -
    List<Reading> sum(int at) {
        return once("sum", at, () -> {
            Readings found = new Readings();
            for (Reading term : product(at, true)) {
                if (found.isNew(term.end())) {
                    moreTerms(List.of(term.expression()), term.end(), found);
                }
            }
            return found;
        });
    }

    private void moreTerms(List<Expression> terms, int at, Readings found) {
        boolean minus = token(at).is("-");
        if (minus || token(at).is("+")) {
            for (Reading next : product(at + 1, true)) {
                if (found.isNew(next.end())) {
                    moreTerms(plus(terms, minus ? next.expression().negated() : next.expression()), next.end(), found);
                }
            }
        }
        found.add(terms.size() == 1 ? terms.getFirst() : new Expression.Sum(terms), at);
    }

    // mp, mp_nofunc: factors joined by * and /
    List<Reading> product(int at, boolean withFunctions) {
        return once("product" + withFunctions, at, () -> {
            Readings found = new Readings();
            for (Reading factor : unary(at, withFunctions)) {
                if (found.isNew(factor.end())) {
                    moreFactors(factor.expression(), factor.end(), withFunctions, found);
                }
            }
            return found;
        });
    }

    private void moreFactors(Expression left, int at, boolean withFunctions, Readings found) {
        boolean division = token(at).is("/");
        if (division || token(at).is("*")) {
            for (Reading next : unary(at + 1, withFunctions)) {
                if (found.isNew(next.end())) {
                    Expression right = division ? next.expression().inverse() : next.expression();
                    moreFactors(Expression.product(left, right), next.end(), withFunctions, found);
                }
            }
        }
        found.add(left, at);
    }

    // unary, unary_nofunc: signs, then factors side by side; without functions only the first may be one
    private List<Reading> unary(int at, boolean withFunctions) {
        return once("unary" + withFunctions, at, () -> {
            Readings found = new Readings();
            if (token(at).is("+") || token(at).is("-")) {
                for (Reading next : unary(at + 1, withFunctions)) {
                    found.add(token(at).is("-") ? next.expression().negated() : next.expression(), next.end());
                }
                return found;
            }
            for (Reading factor : postfix(at, true)) {
                if (found.isNew(factor.end())) {
                    moreBeside(List.of(factor.expression()), factor.end(), withFunctions, found);
                }
            }
            return found;
        });
    }

    private void moreBeside(List<Expression> factors, int at, boolean withFunctions, Readings found) {
        for (Reading next : postfix(at, withFunctions)) {
            if (found.isNew(next.end())) {
                moreBeside(plus(factors, next.expression()), next.end(), withFunctions, found);
            }
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

    private List<Reading> postfix(int at, boolean withFunctions) {
        return once("postfix" + withFunctions, at, () -> {
            Readings found = new Readings();
            for (Reading power : power(at, withFunctions)) {
                List<Reading> factorials = new ArrayList<>(List.of(power));
                while (token(factorials.getLast().end()).is("!")) {
                    Reading last = factorials.getLast();
                    factorials.add(new Reading(Expression.call("factorial", last.expression()), last.end() + 1));
                }
                found.addAll(factorials.reversed());
            }
            return found;
        });
    }

    private List<Reading> power(int at, boolean withFunctions) {
        Readings found = new Readings();
        for (Reading base : component(at, withFunctions)) {
            morePowers(base, found);
        }
        return found.list();
    }

    private void morePowers(Reading base, Readings found) {
        for (Reading exponent : script("^", base.end())) {
            Expression power = new Expression.Power(base.expression(), exponent.expression());
            for (Reading lowered : script("_", exponent.end())) {
                morePowers(new Reading(power, lowered.end()), found);
            }
            morePowers(new Reading(power, exponent.end()), found);
        }
        found.add(base.expression(), base.end());
    }

    /** A sign, then an atom or an expression in braces. */
    List<Reading> script(String sign, int at) {
        Readings found = new Readings();
        if (token(at).is(sign)) {
            found.addAll(atoms.at(at + 1));
            found.addAll(enclosed("{", at + 1, "}"));
        }
        return found.list();
    }

    private List<Reading> component(int at, boolean withFunctions) {
        Readings found = new Readings();
        found.addAll(enclosed("(", at, ")"));
        found.addAll(enclosed("[", at, "]"));
        found.addAll(enclosed("{", at, "}"));
        found.addAll(enclosed("\\{", at, "\\}"));
        found.addAll(Readings.map(enclosed("|", at, "|"), inner -> Expression.call("abs", inner)));
        if (withFunctions) {
            found.addAll(functions.at(at));
        }
        found.addAll(atoms.at(at));
        found.addAll(Readings.map(enclosed("lfloor", at, "rfloor"), inner -> Expression.call("floor", inner)));
        found.addAll(Readings.map(enclosed("lceil", at, "rceil"), inner -> Expression.call("ceiling", inner)));
        return found.list();
    }

    List<Reading> enclosed(String open, int at, String close) {
        return token(at).is(open) ? closed(sum(at + 1), close) : List.of();
    }

    private List<Reading> closed(List<Reading> readings, String close) {
        return readings.stream()
                .filter(reading -> token(reading.end()).is(close))
                .map(reading -> new Reading(reading.expression(), reading.end() + 1))
                .toList();
    }

    LatexToken token(int at) {
        LatexToken token = tokens.get(Math.min(at, tokens.size() - 1));
        failed |= token.kind() == Kind.INVALID;
        return token;
    }

    /** The readings of a rule from a place, computed once. */
    private List<Reading> once(String rule, int at, Supplier<Readings> readings) {
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

    private static List<Expression> plus(List<Expression> list, Expression last) {
        List<Expression> longer = new ArrayList<>(list);
        longer.add(last);
        return longer;
    }
}
