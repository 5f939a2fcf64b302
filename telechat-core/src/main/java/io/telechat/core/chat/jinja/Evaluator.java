// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import io.telechat.core.chat.jinja.Expression.Arguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gives expressions their values. */
final class Evaluator {
    private final Budget budget;
    private final Arithmetic arithmetic;
    private final Members members;
    private final Filters filters;

    Evaluator(Budget budget) {
        this.budget = budget;
        this.arithmetic = new Arithmetic(budget);
        this.members = new Members(budget);
        this.filters = new Filters(budget, members);
    }

    Object value(Expression expression, Scope scope) {
        budget.enter();
        Object value = valueOf(expression, scope);
        budget.leave();
        return value;
    }

    private Object valueOf(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.ListOf list -> values(list.items(), scope);
            case Expression.MapOf map -> map(map, scope);
            case Expression.Attribute attribute -> members.attribute(value(attribute.of(), scope), attribute.name());
            case Expression.Item item -> members.item(value(item.of(), scope), value(item.key(), scope));
            case Expression.Slice slice ->
                members.slice(
                        value(slice.of(), scope),
                        value(slice.from(), scope),
                        value(slice.to(), scope),
                        value(slice.step(), scope));
            case Expression.Conditional choice ->
                value(isTrue(choice.condition(), scope) ? choice.then() : choice.otherwise(), scope);
            case Expression.And and -> {
                Object left = value(and.left(), scope);
                yield Values.isTrue(left) ? value(and.right(), scope) : left;
            }
            case Expression.Or or -> {
                Object left = value(or.left(), scope);
                yield Values.isTrue(left) ? left : value(or.right(), scope);
            }
            case Expression.Not not -> !isTrue(not.operand(), scope);
            case Expression.Negative negative -> arithmetic.apply("-", 0L, value(negative.operand(), scope));
            case Expression.Binary binary ->
                arithmetic.apply(binary.operator(), value(binary.left(), scope), value(binary.right(), scope));
            case Expression.Comparison comparison -> compared(comparison, scope);
            case Expression.Joined joined -> joined(joined, scope);
            case Expression.Call call -> call(value(call.callee(), scope), arguments(call.arguments(), scope));
            case Expression.Filter filter ->
                filters.apply(filter.name(), value(filter.input(), scope), arguments(filter.arguments(), scope));
            case Expression.Test test ->
                Tests.apply(test.name(), value(test.input(), scope), arguments(test.arguments(), scope), budget);
        };
    }

    boolean isTrue(Expression expression, Scope scope) {
        return Values.isTrue(value(expression, scope));
    }

    private List<Object> values(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(value(expression, scope));
        }
        return values;
    }

    private Map<Object, Object> map(Expression.MapOf map, Scope scope) {
        Map<Object, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < map.keys().size(); i++) {
            Object key = Values.key(value(map.keys().get(i), scope));
            values.put(key, value(map.values().get(i), scope));
        }
        return values;
    }

    private Object compared(Expression.Comparison comparison, Scope scope) {
        Object left = value(comparison.first(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = value(comparison.operands().get(i), scope);
            boolean holds = switch (comparison.operators().get(i)) {
                case "==" -> Values.areEqual(left, right, budget);
                case "!=" -> !Values.areEqual(left, right, budget);
                case "<" -> Values.compare(left, right, budget) < 0;
                case "<=" -> Values.compare(left, right, budget) <= 0;
                case ">" -> Values.compare(left, right, budget) > 0;
                case ">=" -> Values.compare(left, right, budget) >= 0;
                case "in" -> Values.contains(right, left, budget);
                default -> !Values.contains(right, left, budget);
            };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private String joined(Expression.Joined joined, Scope scope) {
        StringBuilder text = new StringBuilder();
        for (Expression part : joined.parts()) {
            text.append(Values.text(value(part, scope), budget));
            budget.spend(text.length());
        }
        return text.toString();
    }

    Object call(Object callee, CallArguments arguments) {
        if (callee instanceof Function function) {
            return function.call(arguments);
        }
        throw new TemplateFault(Message.of("%s cannot be called", Values.typeName(callee)));
    }

    CallArguments arguments(Arguments arguments, Scope scope) {
        if (arguments.positional().isEmpty() && arguments.named().isEmpty()) {
            return CallArguments.NONE;
        }
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, expression) -> named.put(name, value(expression, scope)));
        return new CallArguments(values(arguments.positional(), scope), named);
    }
}
