// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;

/** The exponential, circular and hyperbolic functions and their inverses, principal values. */
final class TrigonometricFunctions {
    private static final Complex QUARTER_TURN = Complex.real(RealFunctions.PI).times(Complex.HALF);

    private TrigonometricFunctions() {}

    /** @param name as in LaTeX, with arc before inverse functions; {@link ArithmeticException} at a pole */
    static Complex apply(String name, Complex z) {
        return switch (name) {
            case "exp" -> z.exp();
            case "sin" -> sin(z);
            case "cos" -> cos(z);
            case "tan" -> sin(z).times(cos(z).inverse());
            case "csc" -> sin(z).inverse();
            case "sec" -> cos(z).inverse();
            case "cot" -> cos(z).times(sin(z).inverse());
            case "sinh" -> z.exp().minus(z.negate().exp()).times(Complex.HALF);
            case "cosh" -> z.exp().plus(z.negate().exp()).times(Complex.HALF);
            case "tanh" -> apply("sinh", z).times(apply("cosh", z).inverse());
            case "arcsin" -> arcsin(z);
            case "arccos" -> QUARTER_TURN.minus(arcsin(z));
            case "arctan" -> arctan(z);
            case "arccsc" -> arcsin(z.inverse());
            case "arcsec" -> QUARTER_TURN.minus(arcsin(z.inverse()));
            case "arccot" -> z.isZero() ? QUARTER_TURN : arctan(z.inverse());
            case "arcsinh" -> z.plus(z.times(z).plus(Complex.ONE).sqrt()).log();
            case "arccosh" ->
                z.plus(z.minus(Complex.ONE).sqrt().times(z.plus(Complex.ONE).sqrt()))
                        .log();
            case "arctanh" ->
                Complex.ONE.plus(z).log().minus(Complex.ONE.minus(z).log()).times(Complex.HALF);
            default -> throw new ArithmeticException("unknown function " + name);
        };
    }

    private static Complex sin(Complex z) {
        BigDecimal sin = RealFunctions.sin(z.re());
        BigDecimal cos = RealFunctions.cos(z.re());
        Complex height = Complex.real(z.im());
        return new Complex(
                sin.multiply(apply("cosh", height).re(), RealFunctions.PRECISION),
                cos.multiply(apply("sinh", height).re(), RealFunctions.PRECISION));
    }

    private static Complex cos(Complex z) {
        BigDecimal sin = RealFunctions.sin(z.re());
        BigDecimal cos = RealFunctions.cos(z.re());
        Complex height = Complex.real(z.im());
        return new Complex(
                cos.multiply(apply("cosh", height).re(), RealFunctions.PRECISION),
                sin.multiply(apply("sinh", height).re(), RealFunctions.PRECISION)
                        .negate());
    }

    private static Complex arcsin(Complex z) {
        Complex root = Complex.ONE.minus(z.times(z)).sqrt();
        return Complex.I.times(z).plus(root).log().times(Complex.I).negate();
    }

    private static Complex arctan(Complex z) {
        Complex iz = Complex.I.times(z);
        Complex logs = Complex.ONE.minus(iz).log().minus(Complex.ONE.plus(iz).log());
        return Complex.I.times(logs).times(Complex.HALF);
    }
}
