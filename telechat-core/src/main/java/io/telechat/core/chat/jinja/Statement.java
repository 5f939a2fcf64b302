// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import java.util.List;
import java.util.Optional;

/** What writes or sets something, as the parser found it. */
sealed interface Statement {
    /** Where it begins in the template, from 1. */
    int line();

    record Text(int line, String text) implements Statement {}

    record Print(int line, Expression value) implements Statement {}

    record If(int line, Expression condition, List<Statement> then, List<Statement> otherwise) implements Statement {}

    /** @param condition which items are gone through */
    record For(
            int line,
            List<String> targets,
            Expression items,
            Optional<Expression> condition,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Set(int line, List<String> targets, Expression value) implements Statement {}

    /** {@code set namespace.name = value}. */
    record SetAttribute(int line, String namespace, String name, Expression value) implements Statement {}

    /** {@code set target} up to {@code endset}; {@code filtered} is a filter of the name {@link #BODY}. */
    record SetBlock(int line, String target, Expression filtered, List<Statement> body) implements Statement {}

    /** {@code filter} up to {@code endfilter}. */
    record FilterBlock(int line, Expression filtered, List<Statement> body) implements Statement {}

    record Macro(int line, String name, List<Parameter> parameters, List<Statement> body) implements Statement {}

    /** {@code call(parameters) call} up to {@code endcall}, whose body the macro writes by {@code caller()}. */
    record CallBlock(int line, Macro caller, Expression.Call call) implements Statement {}

    record With(int line, List<String> targets, List<Expression> values, List<Statement> body) implements Statement {}

    /** What {@code generation} surrounds: nothing but its body. */
    record Block(int line, List<Statement> body) implements Statement {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}

    /** @param fallback what is taken if it is not given */
    record Parameter(String name, Optional<Expression> fallback) {}

    /** The variable that the text of a block goes through its filters as; no template can spell it. */
    String BODY = "(body)";
}
