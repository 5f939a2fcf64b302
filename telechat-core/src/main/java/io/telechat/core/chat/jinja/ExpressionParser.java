// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import io.telechat.core.chat.jinja.Expression.Arguments;
import io.telechat.core.chat.jinja.Expression.Literal;
import io.telechat.core.chat.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Parses expressions with Jinja's precedences, and refuses filters and tests that there are not. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Literal NONE = new Literal(null);

    private final TokenStream tokens;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** One expression, or several with commas between them: a list. */
    Expression tuple() {
        return tuple(this::expression);
    }

    /** What a loop goes through: an {@code if} behind it is the loop's. */
    Expression iterable() {
        return tuple(this::or);
    }

    private Expression tuple(Supplier<Expression> part) {
        Expression first = part.get();
        if (!tokens.isOperator(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",") && startsExpression()) {
            items.add(part.get());
        }
        return new Expression.ListOf(items);
    }

    private boolean startsExpression() {
        return switch (tokens.current().kind()) {
            case NAME, STRING, INTEGER, FLOAT -> true;
            case OPERATOR ->
                Set.of("(", "[", "{", "-", "+").contains(tokens.current().text());
            default -> false;
        };
    }

    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression condition = or();
            Expression otherwise = tokens.skipName("else") ? expression() : new Literal(Undefined.UNNAMED);
            value = new Expression.Conditional(condition, value, otherwise);
        }
        tokens.leave();
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.skipName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression operand = not();
        tokens.leave();
        return new Expression.Not(operand);
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> operands = new ArrayList<>();
        while (true) {
            if (tokens.current().kind() == Kind.OPERATOR
                    && COMPARISONS.contains(tokens.current().text())) {
                operators.add(tokens.next().text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (tokens.isName("not") && tokens.lookAhead().is(Kind.NAME, "in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(first, operators, operands);
            }
            operands.add(sum());
        }
    }

    private Expression sum() {
        return binary(Set.of("+", "-"), this::joined);
    }

    private Expression joined() {
        Expression first = product();
        if (!tokens.isOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Joined(parts);
    }

    private Expression product() {
        return binary(Set.of("*", "/", "//", "%"), this::power);
    }

    private Expression power() {
        return binary(Set.of("**"), () -> unary(true));
    }

    private Expression binary(Set<String> operators, Supplier<Expression> operand) {
        Expression left = operand.get();
        while (tokens.current().kind() == Kind.OPERATOR
                && operators.contains(tokens.current().text())) {
            String operator = tokens.next().text();
            left = new Expression.Binary(operator, left, operand.get());
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        tokens.enter();
        Expression value;
        if (tokens.skipOperator("-")) {
            value = new Expression.Negative(unary(false));
        } else if (tokens.skipOperator("+")) {
            value = unary(false);
        } else {
            value = postfix(primary());
        }
        tokens.leave();
        return withFilters ? filters(value) : value;
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> name(token.text());
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.current().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                yield new Literal(text.toString());
            }
            case INTEGER -> new Literal(integer(token));
            case FLOAT -> new Literal(Double.parseDouble(token.text()));
            default -> {
                if (token.is(Kind.OPERATOR, "(")) {
                    yield parenthesized();
                }
                if (token.is(Kind.OPERATOR, "[")) {
                    yield new Expression.ListOf(upTo("]"));
                }
                if (token.is(Kind.OPERATOR, "{")) {
                    yield map();
                }
                throw new TemplateFault(
                        token.line(), Message.of("unexpected '%s'", token.text().strip()));
            }
        };
    }

    private static Long integer(Token token) {
        try {
            return Long.parseLong(token.text());
        } catch (NumberFormatException e) {
            throw new TemplateFault(token.line(), Message.of("unexpected '%s'", token.text()));
        }
    }

    private static Expression name(String name) {
        return switch (name) {
            case "true", "True" -> new Literal(true);
            case "false", "False" -> new Literal(false);
            case "none", "None" -> NONE;
            default -> new Expression.Name(name);
        };
    }

    private Expression parenthesized() {
        if (tokens.skipOperator(")")) {
            return new Expression.ListOf(List.of());
        }
        Expression value = tuple();
        tokens.expectOperator(")");
        return value;
    }

    private List<Expression> upTo(String end) {
        List<Expression> items = new ArrayList<>();
        while (tokens.hasItem(end, items.isEmpty())) {
            items.add(expression());
        }
        return items;
    }

    private Expression map() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (tokens.hasItem("}", keys.isEmpty())) {
            keys.add(expression());
            tokens.expectOperator(":");
            values.add(expression());
        }
        return new Expression.MapOf(keys, values);
    }

    private Expression postfix(Expression value) {
        Expression whole = value;
        while (true) {
            if (tokens.skipOperator(".")) {
                Token part = tokens.next();
                if (part.kind() == Kind.INTEGER) {
                    whole = new Expression.Item(whole, new Literal(integer(part)));
                } else if (part.kind() == Kind.NAME) {
                    whole = new Expression.Attribute(whole, part.text());
                } else {
                    throw new TemplateFault(part.line(), Message.of("unexpected '%s'", part.text()));
                }
            } else if (tokens.skipOperator("[")) {
                whole = item(whole);
            } else if (tokens.isOperator("(")) {
                whole = new Expression.Call(whole, arguments());
            } else {
                return whole;
            }
        }
    }

    private Expression item(Expression of) {
        Expression from = tokens.isOperator(":") ? NONE : tuple();
        if (tokens.skipOperator("]")) {
            return new Expression.Item(of, from);
        }
        tokens.expectOperator(":");
        Expression to = tokens.isOperator(":") || tokens.isOperator("]") ? NONE : expression();
        Expression step = tokens.skipOperator(":") && !tokens.isOperator("]") ? expression() : NONE;
        tokens.expectOperator("]");
        return new Expression.Slice(of, from, to, step);
    }

    Arguments arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (tokens.hasItem(")", positional.isEmpty() && named.isEmpty())) {
            if (tokens.current().kind() == Kind.NAME && tokens.lookAhead().is(Kind.OPERATOR, "=")) {
                String name = tokens.next().text();
                tokens.next();
                named.put(name, expression());
            } else if (named.isEmpty()) {
                positional.add(expression());
            } else {
                throw tokens.unexpected();
            }
        }
        return new Arguments(positional, named);
    }

    private Expression filters(Expression value) {
        Expression whole = value;
        while (true) {
            if (tokens.skipOperator("|")) {
                whole = filter(whole);
            } else if (tokens.skipName("is")) {
                whole = test(whole);
            } else if (tokens.isOperator("(")) {
                whole = new Expression.Call(whole, arguments());
            } else {
                return whole;
            }
        }
    }

    /** One filter, from its name on, and those behind it. */
    Expression filterChain(Expression input) {
        Expression whole = filter(input);
        while (tokens.skipOperator("|")) {
            whole = filter(whole);
        }
        return whole;
    }

    private Expression filter(Expression input) {
        Token name = tokens.expect(Kind.NAME);
        if (!Filters.NAMES.contains(name.text())) {
            throw new TemplateFault(name.line(), Message.of("there is no filter '%s' here", name.text()));
        }
        return new Expression.Filter(input, name.text(), tokens.isOperator("(") ? arguments() : Arguments.NONE);
    }

    private Expression test(Expression input) {
        boolean negated = tokens.skipName("not");
        Token name = tokens.expect(Kind.NAME);
        if (!Tests.NAMES.contains(name.text())) {
            throw new TemplateFault(name.line(), Message.of("there is no test '%s' here", name.text()));
        }
        Arguments arguments = Arguments.NONE;
        if (tokens.isOperator("(")) {
            arguments = arguments();
        } else if (startsExpression()
                && !isOneOf("else", "or", "and", "is", "if", "in", "not")
                && !tokens.isOperator("-")
                && !tokens.isOperator("+")) {
            arguments = new Arguments(List.of(postfix(primary())), Map.of());
        }
        Expression test = new Expression.Test(input, name.text(), arguments);
        return negated ? new Expression.Not(test) : test;
    }

    private boolean isOneOf(String... names) {
        return tokens.current().kind() == Kind.NAME
                && Set.of(names).contains(tokens.current().text());
    }
}
