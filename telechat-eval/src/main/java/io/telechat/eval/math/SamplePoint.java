// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Numbers for the variables of an expression and values for the functions that are only names. They follow from the names, so that
 * one name has one value in all expressions.
 *
 * @param number which point
 * @param kind where the variables lie
 */
record SamplePoint(int number, Kind kind) {
    enum Kind {
        /** Anywhere near the unit circle. */
        COMPLEX,
        /** On the cut of roots and logarithms. */
        NEGATIVE,
        /** Real, of either sign. */
        REAL
    }

    /** Arguments that agree to so many digits are the same. */
    private static final MathContext ARGUMENT = new MathContext(40);

    Complex variable(String name) {
        SplittableRandom random = random(name);
        double size = random.nextDouble(0.5, 2);
        return switch (kind) {
            case COMPLEX -> complex(size, random.nextDouble(-Math.PI, Math.PI));
            case NEGATIVE -> Complex.real(new BigDecimal(-size));
            case REAL -> Complex.real(new BigDecimal(random.nextBoolean() ? size : -size));
        };
    }

    Complex function(String name, List<Complex> arguments) {
        StringBuilder key = new StringBuilder(name);
        for (Complex argument : arguments) {
            key.append(' ').append(text(argument.re())).append(' ').append(text(argument.im()));
        }
        SplittableRandom random = random(key.toString());
        return complex(random.nextDouble(0.5, 2), random.nextDouble(-Math.PI, Math.PI));
    }

    /** The largest integer that is not larger, where a number that is very near to one is that. */
    static BigDecimal floor(BigDecimal number) {
        BigDecimal nearest = number.setScale(0, RoundingMode.HALF_EVEN);
        return Complex.real(nearest).isNear(Complex.real(number)) ? nearest : number.setScale(0, RoundingMode.FLOOR);
    }

    private SplittableRandom random(String key) {
        long seed = number;
        for (int i = 0; i < key.length(); i++) {
            seed = seed * 6364136223846793005L + key.charAt(i) + 1442695040888963407L;
        }
        return new SplittableRandom(seed);
    }

    private static Complex complex(double size, double angle) {
        return new Complex(new BigDecimal(size * Math.cos(angle)), new BigDecimal(size * Math.sin(angle)));
    }

    private static String text(BigDecimal number) {
        return number.round(ARGUMENT).stripTrailingZeros().toString();
    }
}
