// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Elementary functions of real numbers to {@link #PRECISION}, by argument reduction and Taylor series. */
final class RealFunctions {
    static final MathContext PRECISION = new MathContext(120);

    private static final BigDecimal ONE = BigDecimal.ONE;

    private static final BigDecimal TWO = BigDecimal.TWO;

    private static final BigDecimal NEGLIGIBLE = ONE.scaleByPowerOfTen(-PRECISION.getPrecision() - 5);

    /** Beyond it, exponentials are too large, and the reduction of angles too inexact. */
    private static final BigDecimal MAX_ARGUMENT = new BigDecimal("1e7");

    private static final BigDecimal LN_2 = seriesOfLog(ONE.divide(BigDecimal.valueOf(3), PRECISION));

    static final BigDecimal PI = atan(ONE).multiply(BigDecimal.valueOf(4));

    private RealFunctions() {}

    static BigDecimal exp(BigDecimal x) {
        BigDecimal twos = checked(x).divide(LN_2, 0, RoundingMode.HALF_EVEN);
        int halvings = 8;
        BigDecimal rest = x.subtract(twos.multiply(LN_2)).divide(BigDecimal.valueOf(1L << halvings), PRECISION);
        BigDecimal sum = ONE;
        BigDecimal term = ONE;
        for (int n = 1; !isNegligible(term); n++) {
            term = term.multiply(rest).divide(BigDecimal.valueOf(n), PRECISION);
            sum = sum.add(term, PRECISION);
        }
        for (int i = 0; i < halvings; i++) {
            sum = sum.multiply(sum, PRECISION);
        }
        return sum.multiply(powerOfTwo(twos.intValueExact()), PRECISION);
    }

    /** @param x positive */
    static BigDecimal log(BigDecimal x) {
        // x = rest * 10^tens * 2^twos with the rest near 1
        int tens = x.precision() - x.scale() - 1;
        BigDecimal rest = x.scaleByPowerOfTen(-tens).round(PRECISION);
        int twos = tens;
        while (rest.compareTo(new BigDecimal("1.4")) > 0) {
            rest = rest.divide(TWO, PRECISION);
            twos++;
        }
        BigDecimal ofRest = seriesOfLog(rest.subtract(ONE).divide(rest.add(ONE), PRECISION));
        BigDecimal result = ofRest.add(LN_2.multiply(BigDecimal.valueOf(twos)));
        return tens == 0 ? result.round(PRECISION) : result.add(logOfFive(tens), PRECISION);
    }

    static BigDecimal sin(BigDecimal x) {
        BigDecimal angle = reduced(x);
        return alternating(angle, angle, 2);
    }

    static BigDecimal cos(BigDecimal x) {
        return alternating(ONE, reduced(x), 1);
    }

    /** The angle of the point (x, y), in (-pi, pi]. */
    static BigDecimal angle(BigDecimal x, BigDecimal y) {
        if (x.signum() == 0) {
            return PI.divide(TWO, PRECISION).multiply(BigDecimal.valueOf(y.signum()));
        }
        BigDecimal angle = atan(y.divide(x, PRECISION));
        if (x.signum() > 0) {
            return angle;
        }
        return y.signum() < 0 ? angle.subtract(PI) : angle.add(PI);
    }

    private static BigDecimal atan(BigDecimal t) {
        BigDecimal small = t;
        int halvings = 5;
        for (int i = 0; i < halvings; i++) {
            BigDecimal root = ONE.add(small.multiply(small)).sqrt(PRECISION);
            small = small.divide(ONE.add(root), PRECISION);
        }
        BigDecimal square = small.multiply(small, PRECISION).negate();
        BigDecimal sum = BigDecimal.ZERO;
        BigDecimal power = small;
        for (int n = 1; !isNegligible(power); n += 2) {
            sum = sum.add(power.divide(BigDecimal.valueOf(n), PRECISION));
            power = power.multiply(square, PRECISION);
        }
        return sum.multiply(BigDecimal.valueOf(1L << halvings), PRECISION);
    }

    /** The logarithm of (1 + t) / (1 - t). */
    private static BigDecimal seriesOfLog(BigDecimal t) {
        BigDecimal square = t.multiply(t, PRECISION);
        BigDecimal sum = BigDecimal.ZERO;
        BigDecimal power = t;
        for (int n = 1; !isNegligible(power); n += 2) {
            sum = sum.add(power.divide(BigDecimal.valueOf(n), PRECISION));
            power = power.multiply(square, PRECISION);
        }
        return sum.multiply(TWO, PRECISION);
    }

    private static BigDecimal logOfFive(int times) {
        // 5 = 4 * 1.25
        BigDecimal ofRest = seriesOfLog(ONE.divide(BigDecimal.valueOf(9), PRECISION));
        return ofRest.add(LN_2.multiply(TWO)).multiply(BigDecimal.valueOf(times), PRECISION);
    }

    /** first - first x^2 / (k (k+1)) + ..., with k growing by 2. */
    private static BigDecimal alternating(BigDecimal first, BigDecimal x, int k) {
        BigDecimal square = x.multiply(x, PRECISION).negate();
        BigDecimal sum = first;
        BigDecimal term = first;
        for (long n = k; !isNegligible(term); n += 2) {
            term = term.multiply(square).divide(BigDecimal.valueOf(n * (n + 1)), PRECISION);
            sum = sum.add(term, PRECISION);
        }
        return sum;
    }

    private static BigDecimal reduced(BigDecimal x) {
        BigDecimal full = PI.multiply(TWO);
        BigDecimal turns = checked(x).divide(full, 0, RoundingMode.HALF_EVEN);
        return x.subtract(turns.multiply(full)).round(PRECISION);
    }

    private static BigDecimal powerOfTwo(int exponent) {
        BigDecimal power = new BigDecimal(BigInteger.TWO).pow(Math.abs(exponent), PRECISION);
        return exponent >= 0 ? power : ONE.divide(power, PRECISION);
    }

    private static BigDecimal checked(BigDecimal x) {
        if (x.abs().compareTo(MAX_ARGUMENT) > 0) {
            throw new ArithmeticException("argument too large");
        }
        return x;
    }

    private static boolean isNegligible(BigDecimal term) {
        return term.abs().compareTo(NEGLIGIBLE) < 0;
    }
}
