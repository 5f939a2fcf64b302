// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static io.telechat.eval.math.RealFunctions.PRECISION;

import java.math.BigDecimal;

/** A complex number to {@link RealFunctions#PRECISION}. What cancels to less than rounding leaves is exactly zero. */
record Complex(BigDecimal re, BigDecimal im) {
    static final Complex ZERO = new Complex(BigDecimal.ZERO, BigDecimal.ZERO);

    static final Complex ONE = real(BigDecimal.ONE);

    static final Complex HALF = real(new BigDecimal("0.5"));

    static final Complex I = new Complex(BigDecimal.ZERO, BigDecimal.ONE);

    private static final int NOISE_DIGITS = 90;

    private static final int SAME_DIGITS = 60;

    static Complex real(BigDecimal value) {
        return new Complex(value, BigDecimal.ZERO);
    }

    Complex plus(Complex other) {
        return new Complex(sum(re, other.re), sum(im, other.im));
    }

    Complex negate() {
        return new Complex(re.negate(), im.negate());
    }

    Complex minus(Complex other) {
        return plus(other.negate());
    }

    Complex times(Complex other) {
        return new Complex(
                sum(
                        re.multiply(other.re, PRECISION),
                        im.multiply(other.im, PRECISION).negate()),
                sum(re.multiply(other.im, PRECISION), im.multiply(other.re, PRECISION)));
    }

    /** One divided by this; {@link ArithmeticException} if this is zero. */
    Complex inverse() {
        BigDecimal norm = norm();
        return new Complex(re.divide(norm, PRECISION), im.negate().divide(norm, PRECISION));
    }

    BigDecimal abs() {
        return norm().sqrt(PRECISION);
    }

    boolean isZero() {
        return re.signum() == 0 && im.signum() == 0;
    }

    boolean isReal() {
        return im.signum() == 0;
    }

    /** Whether both agree to {@value #SAME_DIGITS} digits. */
    boolean isNear(Complex other) {
        BigDecimal scale = re.abs().max(im.abs()).max(other.re.abs()).max(other.im.abs());
        BigDecimal tolerance = scale.scaleByPowerOfTen(-SAME_DIGITS);
        return re.subtract(other.re).abs().compareTo(tolerance) <= 0
                && im.subtract(other.im).abs().compareTo(tolerance) <= 0;
    }

    Complex exp() {
        BigDecimal size = RealFunctions.exp(re);
        if (isReal()) {
            return real(size);
        }
        return new Complex(
                size.multiply(RealFunctions.cos(im), PRECISION), size.multiply(RealFunctions.sin(im), PRECISION));
    }

    /** The principal logarithm; {@link ArithmeticException} of zero. */
    Complex log() {
        if (isZero()) {
            throw new ArithmeticException("logarithm of zero");
        }
        BigDecimal half = RealFunctions.log(norm()).divide(BigDecimal.TWO, PRECISION);
        return new Complex(half, RealFunctions.angle(re, im));
    }

    /** The principal square root. */
    Complex sqrt() {
        if (isZero()) {
            return this;
        }
        BigDecimal larger =
                re.abs().add(abs()).divide(BigDecimal.TWO, PRECISION).sqrt(PRECISION);
        BigDecimal smaller = im.abs().divide(larger.multiply(BigDecimal.TWO), PRECISION);
        BigDecimal real = re.signum() >= 0 ? larger : smaller;
        BigDecimal imaginary = re.signum() >= 0 ? smaller : larger;
        return new Complex(real, im.signum() < 0 ? imaginary.negate() : imaginary);
    }

    /** To a whole power; {@link ArithmeticException} for zero to a negative one. */
    Complex power(int exponent) {
        Complex result = ONE;
        Complex square = this;
        for (int n = Math.abs(exponent); n > 0; n >>= 1) {
            if ((n & 1) == 1) {
                result = result.times(square);
            }
            square = n > 1 ? square.times(square) : square;
        }
        return exponent < 0 ? result.inverse() : result;
    }

    private BigDecimal norm() {
        return re.multiply(re).add(im.multiply(im), PRECISION);
    }

    private static BigDecimal sum(BigDecimal a, BigDecimal b) {
        BigDecimal sum = a.add(b, PRECISION);
        BigDecimal noise = a.abs().max(b.abs()).scaleByPowerOfTen(-NOISE_DIGITS);
        return sum.abs().compareTo(noise) <= 0 ? BigDecimal.ZERO : sum;
    }
}
