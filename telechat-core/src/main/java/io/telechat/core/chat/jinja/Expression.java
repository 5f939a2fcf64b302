// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import java.util.List;
import java.util.Map;

/** What has a value, as the parser found it. */
sealed interface Expression {
    record Literal(Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListOf(List<Expression> items) implements Expression {}

    /** @param keys one for each of the values */
    record MapOf(List<Expression> keys, List<Expression> values) implements Expression {}

    /** {@code of.name}. */
    record Attribute(Expression of, String name) implements Expression {}

    /** {@code of[key]}. */
    record Item(Expression of, Expression key) implements Expression {}

    /** {@code of[from:to:step]}; what is left out is None. */
    record Slice(Expression of, Expression from, Expression to, Expression step) implements Expression {}

    /** {@code then if condition else otherwise}. */
    record Conditional(Expression condition, Expression then, Expression otherwise) implements Expression {}

    record And(Expression left, Expression right) implements Expression {}

    record Or(Expression left, Expression right) implements Expression {}

    record Not(Expression operand) implements Expression {}

    record Negative(Expression operand) implements Expression {}

    record Binary(String operator, Expression left, Expression right) implements Expression {}

    /** {@code a < b < c}: as many operators as operands behind the first. */
    record Comparison(Expression first, List<String> operators, List<Expression> operands) implements Expression {}

    /** {@code a ~ b ~ c}. */
    record Joined(List<Expression> parts) implements Expression {}

    record Call(Expression callee, Arguments arguments) implements Expression {}

    /** {@code input | name(arguments)}. */
    record Filter(Expression input, String name, Arguments arguments) implements Expression {}

    /** {@code input is name(arguments)}. */
    record Test(Expression input, String name, Arguments arguments) implements Expression {}

    /** What stands in the parentheses of a call. */
    record Arguments(List<Expression> positional, Map<String, Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}
