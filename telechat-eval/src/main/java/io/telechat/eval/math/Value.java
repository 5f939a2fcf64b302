// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;
import java.math.MathContext;

/** What an expression comes to: exact as long as all is rational, as a decimal number rounds in binary, else to many digits. */
sealed interface Value {
    record Exact(Rational value) implements Value {
        @Override
        public Complex approximate() {
            return Complex.real(value.toDecimal(RealFunctions.PRECISION));
        }
    }

    /**
     * A number written with a decimal point, or computed from one: 0.1 + 0.2 is not 0.3, as in SymPy.
     *
     * @param digits significant decimal digits, at least 15, that its binary form stands for
     */
    record Rounded(Rational value, int digits) implements Value {
        private static final int MIN_DIGITS = 15;

        private static final double BITS_PER_DIGIT = Math.log(10) / Math.log(2);

        static Rounded of(BigDecimal literal) {
            int digits = Math.max(MIN_DIGITS, literal.precision());
            return of(Rational.of(literal), digits);
        }

        static Rounded of(Rational value, int digits) {
            int bits = (int) Math.rint((digits + 1) * BITS_PER_DIGIT);
            return new Rounded(value.rounded(bits), digits);
        }

        @Override
        public Complex approximate() {
            return Complex.real(value.toDecimal(new MathContext(digits)));
        }
    }

    record Approximate(Complex value) implements Value {
        @Override
        public Complex approximate() {
            return value;
        }
    }

    Complex approximate();

    static Value exact(Rational value) {
        return new Exact(value);
    }

    static Value of(Complex value) {
        return new Approximate(value);
    }

    default Value plus(Value other) {
        if (this instanceof Exact a && other instanceof Exact b) {
            return new Exact(a.value.plus(b.value));
        }
        if (isRational() && other.isRational()) {
            int digits = Math.max(digits(), other.digits());
            return Rounded.of(rounded(digits).plus(other.rounded(digits)), digits);
        }
        return new Approximate(approximate().plus(other.approximate()));
    }

    default Value times(Value other) {
        if (this instanceof Exact a && other instanceof Exact b) {
            return new Exact(a.value.times(b.value));
        }
        if (isRational() && other.isRational()) {
            int digits = Math.max(digits(), other.digits());
            return Rounded.of(rounded(digits).times(other.rounded(digits)), digits);
        }
        return new Approximate(approximate().times(other.approximate()));
    }

    /** Whether both are the same number, as far as digits go. */
    default boolean equalTo(Value other) {
        if (this instanceof Exact a && other instanceof Exact b) {
            return a.value.equals(b.value);
        }
        if (isRational() && other.isRational()) {
            Value difference = plus(other.times(new Exact(Rational.MINUS_ONE)));
            return difference.rational().isZero();
        }
        return approximate().isNear(other.approximate());
    }

    default boolean isRational() {
        return !(this instanceof Approximate);
    }

    /** Of a rational one only. */
    default Rational rational() {
        return switch (this) {
            case Exact exact -> exact.value;
            case Rounded rounded -> rounded.value;
            case Approximate approximate -> throw new IllegalStateException("not rational");
        };
    }

    private Rational rounded(int digits) {
        return Rounded.of(rational(), digits).value;
    }

    default int digits() {
        return this instanceof Rounded rounded ? rounded.digits : 0;
    }
}
