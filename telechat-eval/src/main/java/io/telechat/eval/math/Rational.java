// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Optional;

/**
 * An exact fraction in lowest terms. Operations throw {@link ArithmeticException} on a division by zero and where the result would
 * need more than {@value #MAX_BITS} bits.
 *
 * @param denominator positive
 */
record Rational(BigInteger numerator, BigInteger denominator) {
    static final int MAX_BITS = 1 << 17;

    /** Larger numbers are not searched for exact roots. */
    private static final int MAX_ROOT_BITS = 1 << 11;

    static final Rational ZERO = of(0);

    static final Rational ONE = of(1);

    static final Rational MINUS_ONE = of(-1);

    static final Rational HALF = of(BigInteger.ONE, BigInteger.TWO);

    static Rational of(long value) {
        return new Rational(BigInteger.valueOf(value), BigInteger.ONE);
    }

    static Rational of(BigInteger numerator, BigInteger denominator) {
        if (denominator.signum() == 0) {
            throw new ArithmeticException("division by zero");
        }
        checkSize(Math.max(numerator.bitLength(), denominator.bitLength()));
        BigInteger divisor = numerator.gcd(denominator);
        BigInteger signed = denominator.signum() < 0 ? divisor.negate() : divisor;
        return new Rational(numerator.divide(signed), denominator.divide(signed));
    }

    static Rational of(BigDecimal value) {
        int scale = value.scale();
        checkSize(Math.abs((long) scale) * 4);
        return scale >= 0
                ? of(value.unscaledValue(), BigInteger.TEN.pow(scale))
                : of(value.toBigIntegerExact(), BigInteger.ONE);
    }

    Rational plus(Rational other) {
        return of(
                numerator.multiply(other.denominator).add(other.numerator.multiply(denominator)),
                denominator.multiply(other.denominator));
    }

    Rational times(Rational other) {
        return of(numerator.multiply(other.numerator), denominator.multiply(other.denominator));
    }

    Rational negate() {
        return new Rational(numerator.negate(), denominator);
    }

    /** To a whole power; zero to the power of zero is one. */
    Rational power(BigInteger exponent) {
        if (exponent.signum() == 0 || equals(ONE)) {
            return ONE;
        }
        if (isZero() && exponent.signum() > 0) {
            return ZERO;
        }
        long bits = Math.max(numerator.bitLength(), denominator.bitLength());
        checkSize(
                exponent.bitLength() > 31
                        ? Long.MAX_VALUE
                        : (bits - 1) * exponent.abs().longValue());
        int times = exponent.abs().intValueExact();
        if (equals(MINUS_ONE)) {
            return times % 2 == 0 ? ONE : this;
        }
        BigInteger top = numerator.pow(times);
        BigInteger bottom = denominator.pow(times);
        return exponent.signum() > 0 ? of(top, bottom) : of(bottom, top);
    }

    /** The positive root of that degree of a positive fraction, if it is a fraction. */
    Optional<Rational> root(int degree) {
        Optional<BigInteger> top = root(numerator, degree);
        Optional<BigInteger> bottom = root(denominator, degree);
        return top.isPresent() && bottom.isPresent() ? Optional.of(of(top.get(), bottom.get())) : Optional.empty();
    }

    private static Optional<BigInteger> root(BigInteger value, int degree) {
        if (value.bitLength() > MAX_ROOT_BITS || degree > MAX_ROOT_BITS) {
            return Optional.empty();
        }
        BigInteger low = BigInteger.ZERO;
        BigInteger high = BigInteger.ONE.shiftLeft(value.bitLength() / degree + 1);
        while (low.compareTo(high) < 0) {
            BigInteger middle = low.add(high).add(BigInteger.ONE).shiftRight(1);
            if (middle.pow(degree).compareTo(value) <= 0) {
                low = middle;
            } else {
                high = middle.subtract(BigInteger.ONE);
            }
        }
        return low.pow(degree).equals(value) ? Optional.of(low) : Optional.empty();
    }

    boolean isZero() {
        return numerator.signum() == 0;
    }

    boolean isInteger() {
        return denominator.equals(BigInteger.ONE);
    }

    /** The largest integer that is not larger. */
    BigInteger floor() {
        BigInteger[] parts = numerator.divideAndRemainder(denominator);
        return parts[1].signum() < 0 ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    /** The nearest fraction with so many bits and a power of two below, ties to even: what binary floating point keeps. */
    Rational rounded(int bits) {
        if (isZero()) {
            return this;
        }
        int shift = bits - numerator.bitLength() + denominator.bitLength();
        for (; ; shift--) {
            BigInteger top = shift >= 0 ? numerator.shiftLeft(shift) : numerator;
            BigInteger bottom = shift >= 0 ? denominator : denominator.shiftLeft(-shift);
            BigInteger units = new BigDecimal(top)
                    .divide(new BigDecimal(bottom), 0, RoundingMode.HALF_EVEN)
                    .toBigInteger();
            if (units.bitLength() <= bits) {
                return shift >= 0
                        ? of(units, BigInteger.ONE.shiftLeft(shift))
                        : of(units.shiftLeft(-shift), BigInteger.ONE);
            }
        }
    }

    BigDecimal toDecimal(MathContext precision) {
        return new BigDecimal(numerator).divide(new BigDecimal(denominator), precision);
    }

    private static void checkSize(long bits) {
        if (bits > MAX_BITS) {
            throw new ArithmeticException("number too large");
        }
    }
}
