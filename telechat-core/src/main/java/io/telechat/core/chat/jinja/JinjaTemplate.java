// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import java.time.Clock;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A chat template in the language of Jinja 2, with {@code trim_blocks} and {@code lstrip_blocks}, as checkpoints bring it along. It
 * renders what Python's jinja2 renders, in its sandbox: a template sees texts, numbers, lists and maps, and nothing of this
 * program, its files or classes. Size, depth and work are bounded. Immutable, for any number of threads.
 */
public final class JinjaTemplate {
    private static final int MAX_CHARACTERS = 1 << 20;

    private final String source;
    private final List<Statement> statements;
    private final Clock clock;

    private JinjaTemplate(String source, List<Statement> statements, Clock clock) {
        this.source = source;
        this.statements = statements;
        this.clock = clock;
    }

    /**
     * @param origin where it is from, for complaints
     * @throws InvalidModelException if this is no template, or it has a tag, filter or test that is not known here
     */
    public static JinjaTemplate parse(String template, Object origin) {
        return parse(template, origin, Clock.systemDefaultZone());
    }

    /**
     * Likewise.
     *
     * @param clock for templates that ask what day it is
     */
    public static JinjaTemplate parse(String template, Object origin, Clock clock) {
        try {
            if (template.length() > MAX_CHARACTERS) {
                throw new TemplateFault(1, Message.of("it has more than %,d characters", MAX_CHARACTERS));
            }
            return new JinjaTemplate(template, StatementParser.parse(template), clock);
        } catch (TemplateFault e) {
            throw new InvalidModelException(
                    "%s: the chat template cannot be used: line %d: %s", origin, e.line(), e.complaint());
        } catch (StackOverflowError e) {
            throw new InvalidModelException(
                    "%s: the chat template cannot be used: line %d: %s",
                    origin, 1, Message.of("it is nested too deeply"));
        }
    }

    /** As it was written. */
    public String source() {
        return source;
    }

    /**
     * @param variables texts, Long, Double, Boolean, null, and lists and maps of these
     * @throws InvalidRequestException if the template refuses them, or has no text for them
     */
    public String render(Map<String, Object> variables) {
        Budget budget = new Budget(characters(variables));
        Renderer renderer = new Renderer(budget);
        Map<String, Object> all = new HashMap<>(Globals.of(budget, LocalDateTime.now(clock)));
        all.putAll(variables);
        try {
            return renderer.text(statements, new Scope(all));
        } catch (TemplateFault e) {
            throw new InvalidRequestException(
                    "the model's chat template has no prompt for this conversation: line %d: %s",
                    renderer.line(), e.complaint());
        } catch (StackOverflowError e) {
            throw new InvalidRequestException(
                    "the model's chat template has no prompt for this conversation: line %d: %s",
                    renderer.line(), Message.of("it is nested too deeply"));
        }
    }

    private static long characters(Object value) {
        return switch (value) {
            case String text -> text.length();
            case List<?> list ->
                list.stream().mapToLong(JinjaTemplate::characters).sum();
            case Map<?, ?> map ->
                map.values().stream().mapToLong(JinjaTemplate::characters).sum();
            case null, default -> 1;
        };
    }
}
