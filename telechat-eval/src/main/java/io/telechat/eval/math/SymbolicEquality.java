// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Whether two formulas in LaTeX have the same value for all values of their variables.
 *
 * <p>lm-evaluation-harness reads both with SymPy and asks whether the difference simplifies to zero. Here both are computed: exactly
 * as long as all numbers are rational, else to 120 digits, at several points of the complex plane. An identity holds at all of them;
 * what is none fails at one. For what answers hold (numbers, roots, powers, logarithms, polynomials, fractions of them) SymPy proves
 * the identities, so both agree. Known to differ: products of logarithms that are 1 and sums with decimals in them, such as 12-0.2 and
 * 11.8, are equal here only; sums, products, integrals, limits and derivatives in LaTeX are not computed here.
 *
 * <p>Why no computer algebra system: the one that Java has and whose licence allows it here (Symja 3.0, LGPL) brings 57 libraries of
 * 41 MB, takes 2 s for the first formula, leaves threads running after a time-out, and its simplification is another one than SymPy's.
 */
final class SymbolicEquality {
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(5);

    private static final List<SamplePoint> POINTS = IntStream.range(0, 6)
            .mapToObj(i -> new SamplePoint(
                    i,
                    switch (i) {
                        case 1 -> SamplePoint.Kind.NEGATIVE;
                        case 3 -> SamplePoint.Kind.REAL;
                        default -> SamplePoint.Kind.COMPLEX;
                    }))
            .toList();

    private SymbolicEquality() {}

    /** Not, where one of them cannot be read or has no finite value, or the time limit of 5 s passes. */
    static boolean holds(String a, String b) {
        Optional<Expression> first = LatexReader.read(a);
        Optional<Expression> second = first.flatMap(expression -> LatexReader.read(b));
        return second.isPresent() && holds(first.get(), second.get());
    }

    private static boolean holds(Expression a, Expression b) {
        long deadline = System.nanoTime() + LIMIT;
        boolean constant = !a.hasSymbols() && !b.hasSymbols();
        try {
            for (SamplePoint point : constant ? POINTS.subList(0, 1) : POINTS) {
                Evaluator evaluator = new Evaluator(point, deadline);
                if (!evaluator.of(a).equalTo(evaluator.of(b))) {
                    return false;
                }
            }
            return true;
        } catch (ArithmeticException noValue) {
            return false;
        }
    }
}
