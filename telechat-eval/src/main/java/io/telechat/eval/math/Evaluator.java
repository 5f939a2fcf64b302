// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * The value of an expression where its variables stand for numbers. Throws {@link ArithmeticException} where it has none: a division
 * by zero, a number too large, or time is over.
 */
final class Evaluator {
    private static final int MAX_REPEATED = 1 << 10;

    private final SamplePoint point;

    private final long deadline;

    /** @param deadline of {@link System#nanoTime} */
    Evaluator(SamplePoint point, long deadline) {
        this.point = point;
        this.deadline = deadline;
    }

    Value of(Expression expression) {
        if (System.nanoTime() - deadline > 0) {
            throw new ArithmeticException("time is over");
        }
        return switch (expression) {
            case Expression.Whole whole -> Value.exact(Rational.of(whole.value()));
            case Expression.Decimal decimal -> Value.Rounded.of(decimal.value());
            case Expression.Undefined undefined -> throw new ArithmeticException("no value: " + undefined.text());
            case Expression.Symbol symbol -> Value.of(point.variable(symbol.name()));
            case Expression.Sum sum ->
                sum.terms().stream().map(this::of).reduce(Value::plus).orElseThrow();
            case Expression.Product product ->
                product.factors().stream().map(this::of).reduce(Value::times).orElseThrow();
            case Expression.Power power -> power(of(power.base()), of(power.exponent()));
            case Expression.Call call -> call(call);
        };
    }

    private Value call(Expression.Call call) {
        List<Value> arguments = call.arguments().stream().map(this::of).toList();
        Value first = arguments.getFirst();
        return switch (call.name()) {
            case "abs" -> absolute(first);
            case "floor" -> floor(first);
            case "ceiling" -> minus(floor(minus(first)));
            case "factorial" -> Factorials.factorial(first, point);
            case "binomial" -> Factorials.binomial(first, arguments.get(1), point);
            case "conjugate" -> conjugate(first);
            case "log" ->
                arguments.size() == 1
                        ? Value.of(first.approximate().log())
                        : logarithm(first.approximate(), arguments.get(1).approximate());
            default -> {
                List<Complex> numbers =
                        arguments.stream().map(Value::approximate).toList();
                yield Value.of(
                        call.name().startsWith("\\")
                                ? point.function(call.name(), numbers)
                                : TrigonometricFunctions.apply(call.name(), numbers.getFirst()));
            }
        };
    }

    private static Value logarithm(Complex number, Complex base) {
        return Value.of(number.log().times(base.log().inverse()));
    }

    private static Value minus(Value value) {
        return value.times(Value.exact(Rational.MINUS_ONE));
    }

    private static Value absolute(Value value) {
        if (value.isRational()) {
            return value.rational().numerator().signum() < 0 ? minus(value) : value;
        }
        return Value.of(Complex.real(value.approximate().abs()));
    }

    private static Value conjugate(Value value) {
        Complex number = value.approximate();
        return value.isRational()
                ? value
                : Value.of(new Complex(number.re(), number.im().negate()));
    }

    private static Value floor(Value value) {
        if (value.isRational()) {
            return Value.exact(Rational.of(value.rational().floor(), BigInteger.ONE));
        }
        Complex number = value.approximate();
        return Value.of(new Complex(SamplePoint.floor(number.re()), SamplePoint.floor(number.im())));
    }

    private Value power(Value base, Value exponent) {
        if (base.isRational() && exponent.isRational()) {
            return rationalPower(base, exponent);
        }
        if (exponent instanceof Value.Exact exact) {
            return Value.of(power(base.approximate(), exact.value()));
        }
        if (exponent instanceof Value.Rounded rounded) {
            // SymPy does not take x^{0.5} for a square root
            return Value.of(point.function("^", List.of(base.approximate(), rounded.approximate())));
        }
        return Value.of(base.approximate().log().times(exponent.approximate()).exp());
    }

    private static Value rationalPower(Value base, Value exponent) {
        int digits = Math.max(base.digits(), exponent.digits());
        Rational number = base.rational();
        Rational power = exponent.rational();
        List<Rational> exact = new ArrayList<>();
        if (power.isInteger()) {
            exact.add(number.power(power.numerator()));
        } else if (number.isZero()) {
            exact.add(Rational.ONE.times(number.power(power.numerator())));
        } else if (number.numerator().signum() > 0 && power.denominator().bitLength() < Integer.SIZE) {
            number.root(power.denominator().intValueExact())
                    .ifPresent(root -> exact.add(root.power(power.numerator())));
        }
        if (exact.isEmpty()) {
            Complex value = power(base.approximate(), power);
            return digits > 0 && value.isReal() ? Value.Rounded.of(Rational.of(value.re()), digits) : Value.of(value);
        }
        return digits > 0 ? Value.Rounded.of(exact.getFirst(), digits) : Value.exact(exact.getFirst());
    }

    private static Complex power(Complex base, Rational exponent) {
        if (exponent.isInteger() && exponent.numerator().bitLength() < Integer.SIZE) {
            int times = exponent.numerator().intValueExact();
            if (Math.abs(times) <= MAX_REPEATED) {
                return base.power(times);
            }
        }
        if (exponent.equals(Rational.HALF)) {
            return base.sqrt();
        }
        Complex power = Complex.real(exponent.toDecimal(RealFunctions.PRECISION));
        return base.log().times(power).exp();
    }
}
