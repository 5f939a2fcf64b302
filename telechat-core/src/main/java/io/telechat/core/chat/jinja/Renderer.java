// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Does what statements say. One for each rendering. */
final class Renderer {
    private final Budget budget;
    private final Evaluator evaluator;
    private int line;

    /** How a statement ends. */
    private enum End {
        NORMAL,
        BREAK,
        CONTINUE
    }

    Renderer(Budget budget) {
        this.budget = budget;
        this.evaluator = new Evaluator(budget);
    }

    /** Where it is, or got to. */
    int line() {
        return line;
    }

    String text(List<Statement> statements, Scope scope) {
        StringBuilder out = new StringBuilder();
        all(statements, scope, out);
        return out.toString();
    }

    private End all(List<Statement> statements, Scope scope, StringBuilder out) {
        budget.enter();
        for (Statement statement : statements) {
            line = statement.line();
            End end = one(statement, scope, out);
            if (end != End.NORMAL) {
                budget.leave();
                return end;
            }
        }
        budget.leave();
        return End.NORMAL;
    }

    private End one(Statement statement, Scope scope, StringBuilder out) {
        switch (statement) {
            case Statement.Text text -> write(text.text(), out);
            case Statement.Print print -> write(Values.text(evaluator.value(print.value(), scope), budget), out);
            case Statement.If choice -> {
                return all(
                        evaluator.isTrue(choice.condition(), scope) ? choice.then() : choice.otherwise(), scope, out);
            }
            case Statement.For loop -> {
                return loop(loop, scope, out);
            }
            case Statement.Set set -> assign(set.targets(), evaluator.value(set.value(), scope), scope);
            case Statement.SetAttribute set -> setAttribute(set, scope);
            case Statement.SetBlock set -> scope.set(set.target(), filtered(set.filtered(), set.body(), scope));
            case Statement.FilterBlock filter ->
                write(Values.text(filtered(filter.filtered(), filter.body(), scope), budget), out);
            case Statement.Macro macro -> scope.set(macro.name(), function(macro, scope));
            case Statement.CallBlock block -> write(called(block, scope), out);
            case Statement.With with -> {
                Scope inner = new Scope(scope);
                for (int i = 0; i < with.targets().size(); i++) {
                    inner.set(
                            with.targets().get(i), evaluator.value(with.values().get(i), scope));
                }
                return all(with.body(), inner, out);
            }
            case Statement.Block block -> {
                return all(block.body(), new Scope(scope), out);
            }
            case Statement.Break stop -> {
                return End.BREAK;
            }
            case Statement.Continue skip -> {
                return End.CONTINUE;
            }
        }
        return End.NORMAL;
    }

    private void write(String text, StringBuilder out) {
        budget.spend(text.length());
        out.append(text);
    }

    private static void assign(List<String> targets, Object value, Scope scope) {
        if (targets.size() == 1) {
            scope.set(targets.getFirst(), value);
            return;
        }
        List<Object> parts = Values.items(value);
        if (parts.size() != targets.size()) {
            throw new TemplateFault(Message.of("%d values do not go into %d variables", parts.size(), targets.size()));
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.set(targets.get(i), parts.get(i));
        }
    }

    private void setAttribute(Statement.SetAttribute set, Scope scope) {
        if (!(scope.get(set.namespace()) instanceof Namespace namespace)) {
            throw new TemplateFault(Message.of("'%s' is no namespace", set.namespace()));
        }
        namespace.set(set.name(), evaluator.value(set.value(), scope));
    }

    private Object filtered(Expression filters, List<Statement> body, Scope scope) {
        Scope inner = new Scope(scope);
        inner.set(Statement.BODY, text(body, new Scope(scope)));
        return evaluator.value(filters, inner);
    }

    private End loop(Statement.For loop, Scope scope, StringBuilder out) {
        List<Object> items = Values.items(evaluator.value(loop.items(), scope));
        budget.spend(items.size());
        if (loop.condition().isPresent()) {
            List<Object> kept = new ArrayList<>();
            for (Object item : items) {
                Scope inner = new Scope(scope);
                assign(loop.targets(), item, inner);
                if (evaluator.isTrue(loop.condition().get(), inner)) {
                    kept.add(item);
                }
            }
            items = kept;
        }
        if (items.isEmpty()) {
            return all(loop.otherwise(), new Scope(scope), out);
        }
        Loop state = new Loop(items, budget);
        for (int i = 0; i < items.size(); i++) {
            Scope inner = new Scope(scope);
            inner.set("loop", state.at(i));
            assign(loop.targets(), items.get(i), inner);
            if (all(loop.body(), inner, out) == End.BREAK) {
                break;
            }
        }
        return End.NORMAL;
    }

    private Function function(Statement.Macro macro, Scope scope) {
        return arguments -> {
            budget.enter();
            Scope inner = new Scope(scope);
            Map<String, Object> named = new HashMap<>(arguments.named());
            if (named.containsKey("caller")) {
                inner.set("caller", named.remove("caller"));
            }
            for (int i = 0; i < macro.parameters().size(); i++) {
                Statement.Parameter parameter = macro.parameters().get(i);
                Object value;
                if (i < arguments.positional().size()) {
                    value = arguments.positional().get(i);
                } else if (named.containsKey(parameter.name())) {
                    value = named.remove(parameter.name());
                } else {
                    value = parameter.fallback().isPresent()
                            ? evaluator.value(parameter.fallback().get(), inner)
                            : new Undefined(parameter.name());
                }
                inner.set(parameter.name(), value);
            }
            new CallArguments(arguments.positional(), named)
                    .only(macro.parameters().size());
            String text = text(macro.body(), inner);
            budget.leave();
            return text;
        };
    }

    private String called(Statement.CallBlock block, Scope scope) {
        Object callee = evaluator.value(block.call().callee(), scope);
        CallArguments arguments = evaluator.arguments(block.call().arguments(), scope);
        Map<String, Object> named = new HashMap<>(arguments.named());
        named.put("caller", function(block.caller(), scope));
        return Values.text(evaluator.call(callee, new CallArguments(arguments.positional(), named)), budget);
    }
}
