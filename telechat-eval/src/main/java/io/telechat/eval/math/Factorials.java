// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;

/** Factorials and binomial coefficients. */
final class Factorials {
    private static final int MAX = 10_000;

    private static final int MAX_STEPS = 1_000;

    private Factorials() {}

    /** Of what is no integer: some function with the recurrence of the factorial, so that (n+1)! / n! is n + 1. */
    static Value factorial(Value value, SamplePoint point) {
        if (value.isRational() && value.rational().isInteger()) {
            return Value.exact(Rational.of(factorial(value.rational().numerator()), BigInteger.ONE));
        }
        Complex number = value.approximate();
        Complex start = new Complex(number.re().subtract(SamplePoint.floor(number.re())), number.im());
        int steps = checked(SamplePoint.floor(number.re()).toBigIntegerExact(), MAX_STEPS);
        Complex result = point.function("factorial", List.of(start));
        for (int i = 1; i <= steps; i++) {
            result = result.times(start.plus(Complex.real(BigDecimal.valueOf(i))));
        }
        for (int i = 0; i > steps; i--) {
            result =
                    result.times(start.plus(Complex.real(BigDecimal.valueOf(i))).inverse());
        }
        return Value.of(result);
    }

    static Value binomial(Value upper, Value lower, SamplePoint point) {
        if (lower.isRational() && lower.rational().isInteger()) {
            BigInteger count = lower.rational().numerator();
            if (count.signum() < 0) {
                return Value.exact(Rational.ZERO);
            }
            return choose(upper, checked(count, upper.isRational() ? MAX : MAX_STEPS));
        }
        Value rest = upper.plus(lower.times(Value.exact(Rational.MINUS_ONE)));
        Complex parts = factorial(lower, point).times(factorial(rest, point)).approximate();
        return Value.of(factorial(upper, point).approximate().times(parts.inverse()));
    }

    private static Value choose(Value upper, int count) {
        Value result = Value.exact(Rational.ONE);
        for (int i = 0; i < count; i++) {
            Value factor = upper.plus(Value.exact(Rational.of(-i)));
            result = result.times(factor).times(Value.exact(Rational.of(BigInteger.ONE, BigInteger.valueOf(i + 1L))));
        }
        return result;
    }

    private static BigInteger factorial(BigInteger number) {
        if (number.signum() < 0) {
            throw new ArithmeticException("factorial of a negative number");
        }
        BigInteger product = BigInteger.ONE;
        for (int i = checked(number, MAX); i > 1; i--) {
            product = product.multiply(BigInteger.valueOf(i));
        }
        return product;
    }

    private static int checked(BigInteger number, int max) {
        if (number.abs().compareTo(BigInteger.valueOf(max)) > 0) {
            throw new ArithmeticException("number too large");
        }
        return number.intValueExact();
    }
}
