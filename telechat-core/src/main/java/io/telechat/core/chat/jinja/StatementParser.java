// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import io.telechat.core.chat.jinja.Statement.Parameter;
import io.telechat.core.chat.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Parses a template. Tags that read other files, and those that are not known, are refused by name. */
final class StatementParser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int loops;

    private StatementParser(List<Token> tokens) {
        this.tokens = new TokenStream(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    /** @throws TemplateFault if this is no template, or has what is not known here */
    static List<Statement> parse(String template) {
        StatementParser parser = new StatementParser(Lexer.tokens(template));
        List<Statement> statements = parser.upTo(Set.of());
        if (parser.tokens.current().kind() != Kind.END) {
            throw parser.tokens.unexpected();
        }
        return statements;
    }

    /** Statements up to a tag of one of these names, whose name is then the current token; or to the end. */
    private List<Statement> upTo(Set<String> ends) {
        tokens.enter();
        List<Statement> statements = new ArrayList<>();
        while (tokens.current().kind() != Kind.END) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> statements.add(new Statement.Text(token.line(), token.text()));
                case PRINT_BEGIN -> {
                    statements.add(new Statement.Print(token.line(), expressions.tuple()));
                    tokens.expect(Kind.PRINT_END);
                }
                default -> {
                    if (ends.contains(tokens.current().text())) {
                        tokens.leave();
                        return statements;
                    }
                    statements.add(tag());
                }
            }
        }
        if (!ends.isEmpty()) {
            throw tokens.unexpected();
        }
        tokens.leave();
        return statements;
    }

    /** A block's body, and its end. */
    private List<Statement> body(String end) {
        tokens.expect(Kind.TAG_END);
        List<Statement> body = upTo(Set.of(end));
        tokens.next();
        tokens.expect(Kind.TAG_END);
        return body;
    }

    private Statement tag() {
        Token name = tokens.expect(Kind.NAME);
        int line = name.line();
        return switch (name.text()) {
            case "if" -> condition(line);
            case "for" -> loop(line);
            case "set" -> set(line);
            case "macro" -> macro(line);
            case "call" -> callBlock(line);
            case "filter" -> {
                Expression filtered = expressions.filterChain(new Expression.Name(Statement.BODY));
                yield new Statement.FilterBlock(line, filtered, body("endfilter"));
            }
            case "with" -> with(line);
            case "generation" -> new Statement.Block(line, body("endgeneration"));
            case "break", "continue" -> jump(name);
            default -> throw new TemplateFault(line, Message.of("there is no tag '%s' here", name.text()));
        };
    }

    private Statement jump(Token name) {
        if (loops == 0) {
            throw new TemplateFault(name.line(), Message.of("unexpected '%s'", name.text()));
        }
        tokens.expect(Kind.TAG_END);
        return name.text().equals("break") ? new Statement.Break(name.line()) : new Statement.Continue(name.line());
    }

    private Statement condition(int line) {
        Expression condition = expressions.tuple();
        tokens.expect(Kind.TAG_END);
        List<Statement> then = upTo(Set.of("elif", "else", "endif"));
        Token end = tokens.next();
        List<Statement> otherwise = List.of();
        if (end.text().equals("elif")) {
            tokens.enter();
            Statement next = condition(end.line());
            tokens.leave();
            return new Statement.If(line, condition, then, List.of(next));
        }
        if (end.text().equals("else")) {
            otherwise = body("endif");
        } else {
            tokens.expect(Kind.TAG_END);
        }
        return new Statement.If(line, condition, then, otherwise);
    }

    private Statement loop(int line) {
        List<String> targets = targets();
        tokens.expectName("in");
        Expression items = expressions.iterable();
        Optional<Expression> condition =
                tokens.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
        if (tokens.isName("recursive")) {
            throw tokens.fault(Message.of("there is no tag '%s' here", "for … recursive"));
        }
        tokens.expect(Kind.TAG_END);
        loops++;
        List<Statement> body = upTo(Set.of("else", "endfor"));
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.next().text().equals("else")) {
            otherwise = body("endfor");
        } else {
            tokens.expect(Kind.TAG_END);
        }
        return new Statement.For(line, targets, items, condition, body, otherwise);
    }

    /** {@code a} or {@code a, b} or {@code (a, b)}. */
    private List<String> targets() {
        boolean inParentheses = tokens.skipOperator("(");
        List<String> names = new ArrayList<>(List.of(tokens.expect(Kind.NAME).text()));
        while (tokens.skipOperator(",") && tokens.current().kind() == Kind.NAME) {
            names.add(tokens.next().text());
        }
        if (inParentheses) {
            tokens.expectOperator(")");
        }
        return names;
    }

    private Statement set(int line) {
        if (tokens.current().kind() == Kind.NAME && tokens.lookAhead().is(Kind.OPERATOR, ".")) {
            String namespace = tokens.next().text();
            tokens.next();
            String name = tokens.expect(Kind.NAME).text();
            tokens.expectOperator("=");
            Expression value = expressions.tuple();
            tokens.expect(Kind.TAG_END);
            return new Statement.SetAttribute(line, namespace, name, value);
        }
        List<String> targets = targets();
        if (tokens.skipOperator("=")) {
            Expression value = expressions.tuple();
            tokens.expect(Kind.TAG_END);
            return new Statement.Set(line, targets, value);
        }
        Expression body = new Expression.Name(Statement.BODY);
        Expression filtered = tokens.skipOperator("|") ? expressions.filterChain(body) : body;
        return new Statement.SetBlock(line, targets.getFirst(), filtered, body("endset"));
    }

    private Statement.Macro macro(int line) {
        String name = tokens.expect(Kind.NAME).text();
        return new Statement.Macro(line, name, parameters(), macroBody("endmacro"));
    }

    /** A loop around a macro is not one that it could leave. */
    private List<Statement> macroBody(String end) {
        int around = loops;
        loops = 0;
        List<Statement> body = body(end);
        loops = around;
        return body;
    }

    private List<Parameter> parameters() {
        List<Parameter> parameters = new ArrayList<>();
        tokens.expectOperator("(");
        while (tokens.hasItem(")", parameters.isEmpty())) {
            String name = tokens.expect(Kind.NAME).text();
            parameters.add(new Parameter(
                    name, tokens.skipOperator("=") ? Optional.of(expressions.expression()) : Optional.empty()));
        }
        return parameters;
    }

    private Statement callBlock(int line) {
        List<Parameter> parameters = tokens.isOperator("(") ? parameters() : List.of();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw tokens.unexpected();
        }
        Statement.Macro caller = new Statement.Macro(line, "caller", parameters, macroBody("endcall"));
        return new Statement.CallBlock(line, caller, call);
    }

    private Statement with(int line) {
        List<String> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (tokens.current().kind() != Kind.TAG_END) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(tokens.expect(Kind.NAME).text());
            tokens.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(line, targets, values, body("endwith"));
    }
}
