// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.math.BigDecimal;
import java.util.List;
import java.util.stream.Collectors;

/** What a formula says, as it was written: nothing is computed yet. */
sealed interface Expression {
    /** An integer. */
    record Whole(BigDecimal value) implements Expression {}

    /** A number with a decimal point. */
    record Decimal(BigDecimal value) implements Expression {}

    /** What has no finite value: infinity, or digits that are no number. */
    record Undefined(String text) implements Expression {}

    record Symbol(String name) implements Expression {}

    record Sum(List<Expression> terms) implements Expression {}

    record Product(List<Expression> factors) implements Expression {}

    record Power(Expression base, Expression exponent) implements Expression {}

    /** A known function, or one that is only a name. */
    record Call(String name, List<Expression> arguments) implements Expression {}

    Expression MINUS_ONE = new Whole(BigDecimal.ONE.negate());

    Expression HALF = new Power(new Whole(BigDecimal.TWO), MINUS_ONE);

    static Expression product(Expression... factors) {
        return new Product(List.of(factors));
    }

    static Expression call(String name, Expression... arguments) {
        return new Call(name, List.of(arguments));
    }

    default Expression negated() {
        return product(MINUS_ONE, this);
    }

    default Expression inverse() {
        return new Power(this, MINUS_ONE);
    }

    default boolean isSymbol(String name) {
        return this instanceof Symbol symbol && symbol.name().equals(name);
    }

    default boolean hasSymbols() {
        return switch (this) {
            case Whole w -> false;
            case Decimal d -> false;
            case Undefined u -> false;
            case Symbol s -> true;
            case Sum sum -> sum.terms().stream().anyMatch(Expression::hasSymbols);
            case Product product -> product.factors().stream().anyMatch(Expression::hasSymbols);
            case Power power -> power.base().hasSymbols() || power.exponent().hasSymbols();
            case Call call -> call.arguments().stream().anyMatch(Expression::hasSymbols);
        };
    }

    /** A text that does not depend on the order of terms and factors: the name of a subscript. */
    default String label() {
        return switch (this) {
            case Whole whole -> whole.value().toPlainString();
            case Decimal decimal -> decimal.value().toString();
            case Undefined undefined -> undefined.text();
            case Symbol symbol -> symbol.name();
            case Sum sum -> sorted(sum.terms(), " + ");
            case Product product -> sorted(product.factors(), "*");
            case Power power -> power.base().label() + "**" + power.exponent().label();
            case Call call ->
                call.name()
                        + call.arguments().stream().map(Expression::label).collect(Collectors.joining(",", "(", ")"));
        };
    }

    private static String sorted(List<Expression> parts, String operator) {
        return parts.stream().map(Expression::label).sorted().collect(Collectors.joining(operator, "(", ")"));
    }
}
