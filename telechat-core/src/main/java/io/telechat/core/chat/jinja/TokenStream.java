// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import io.telechat.core.chat.jinja.Token.Kind;
import java.util.List;

/** Where parsers stand in a template, and how deep. */
final class TokenStream {
    private static final int MAX_DEPTH = 100;

    private final List<Token> tokens;
    private int at;
    private int depth;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(at);
    }

    Token lookAhead() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean isOperator(String text) {
        return current().is(Kind.OPERATOR, text);
    }

    boolean isName(String text) {
        return current().is(Kind.NAME, text);
    }

    boolean skipOperator(String text) {
        boolean is = isOperator(text);
        if (is) {
            next();
        }
        return is;
    }

    boolean skipName(String text) {
        boolean is = isName(text);
        if (is) {
            next();
        }
        return is;
    }

    Token expect(Kind kind) {
        if (current().kind() != kind) {
            throw unexpected();
        }
        return next();
    }

    void expectOperator(String text) {
        if (!skipOperator(text)) {
            throw unexpected();
        }
    }

    void expectName(String text) {
        if (!skipName(text)) {
            throw unexpected();
        }
    }

    /** Between brackets: whether another item follows; skips the comma in front of it, or the bracket that closes. */
    boolean hasItem(String close, boolean isFirst) {
        if (skipOperator(close)) {
            return false;
        }
        if (isFirst) {
            return true;
        }
        expectOperator(",");
        return !skipOperator(close);
    }

    TemplateFault unexpected() {
        return current().kind() == Kind.END
                ? fault(Message.of("it ends too early"))
                : fault(Message.of("unexpected '%s'", current().text().strip()));
    }

    TemplateFault fault(Message complaint) {
        return new TemplateFault(current().line(), complaint);
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw fault(Message.of("it is nested more than %d deep", MAX_DEPTH));
        }
    }

    void leave() {
        depth--;
    }
}
