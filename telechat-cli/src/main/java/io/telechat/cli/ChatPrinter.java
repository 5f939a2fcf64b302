// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.cli.repl.AnswerView;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatMessage;
import io.telechat.infer.ChatSession;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import java.io.PrintStream;
import java.util.Optional;
import java.util.function.IntSupplier;

/** Prints answers as they come: plain text, or one JSON object per event. */
final class ChatPrinter implements AnswerView {
    private static final String DIM = "\u001b[2m";
    private static final String RESET = "\u001b[0m";

    private final boolean json;
    private final boolean colored;
    private final boolean stats;
    private final ThoughtsView thoughts;
    private Optional<WordWrap> wrap = Optional.empty();
    private final PrintStream out = System.out;

    /** @param showThinking whether thoughts are printed; as JSON, they always are */
    ChatPrinter(boolean json, boolean colored, boolean stats, boolean showThinking) {
        this.json = json;
        this.colored = colored;
        this.stats = stats;
        this.thoughts = new ThoughtsView(showThinking, Terminals.isOutput());
    }

    /** Sends one question and prints its answer. */
    Generation answer(ChatSession session, String question) {
        Cancellation stop = new Cancellation();
        Generation generation = session.send(
                ChatMessage.user(question),
                event -> {
                    token(event);
                    if (out.checkError()) {
                        stop.cancel(); // nobody reads on
                    }
                },
                stop);
        finished(generation, session.options().seed());
        return generation;
    }

    /** Breaks answers between words, for a dialog on a terminal. */
    void wrapAt(IntSupplier columns) {
        wrap = Optional.of(new WordWrap(columns));
    }

    @Override
    public void token(TokenEvent event) {
        if (json) {
            var object =
                    Json.object().put("event", "token").put("id", event.id()).put("text", event.text());
            if (!event.thinking().isEmpty()) {
                object.put("thinking", event.thinking());
            }
            event.logprob().ifPresent(l -> object.set("logprob", Json.logprob(l)));
            out.println(Json.line(object));
        } else {
            if (!event.thinking().isEmpty()) {
                quietly(thoughts.begin());
                quietly(thoughts.isShowing() ? wrapped(event.thinking()) : "");
            }
            if (!event.text().isEmpty()) {
                endThoughts();
                out.print(wrapped(event.text()));
            }
        }
        out.flush();
    }

    private String wrapped(String said) {
        String text = Terminals.isOutput() ? printable(said) : said;
        return wrap.map(w -> w.add(text)).orElse(text);
    }

    private void quietly(String text) {
        out.print(colored && !text.isEmpty() ? DIM + text + RESET : text);
    }

    private void endThoughts() {
        String end = thoughts.end();
        if (!end.isEmpty()) {
            quietly(wrap.map(WordWrap::finish).orElse("") + end);
        }
    }

    /** A model may write anything, but what it writes must not move the terminal. */
    private static String printable(String text) {
        return text.codePoints().anyMatch(ChatPrinter::isUnsafe)
                ? text.codePoints()
                        .map(c -> isUnsafe(c) ? 0xfffd : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString()
                : text;
    }

    private static boolean isUnsafe(int codePoint) {
        return Character.isISOControl(codePoint) && codePoint != '\n' && codePoint != '\t';
    }

    @Override
    public void finished(Generation generation, long seed) {
        if (json) {
            var object = Json.object().put("event", "done");
            object.setAll(Json.generation(generation, seed));
            out.println(Json.line(object));
        } else {
            endThoughts();
            wrap.ifPresent(w -> out.println(w.finish())); // an empty line sets the answer off
            out.println();
            if (generation.hasOnlyThoughts() && generation.finishReason() != FinishReason.CANCELLED) {
                error(noAnswer(generation.finishReason()));
            }
            if (stats) {
                System.err.println(generation.summary());
            }
        }
        out.flush();
    }

    private static String noAnswer(FinishReason reason) {
        return reason == FinishReason.LENGTH
                ? Message.localized("the answer's length was spent on thoughts: --max-new-tokens allows more,"
                        + " --max-thinking-tokens bounds them")
                : Message.localized("the model ended within its thoughts, without an answer");
    }

    @Override
    public boolean toggleThinking() {
        return thoughts.toggle();
    }

    @Override
    public void note(String text) {
        if (json) {
            out.println(Json.line(Json.object().put("event", "note").put("text", text)));
        } else {
            out.println(colored ? DIM + text + RESET : text);
        }
        out.flush();
    }

    @Override
    public void error(String message) {
        if (json) {
            out.println(Json.line(Json.object().put("event", "error").put("message", message)));
            out.flush();
        } else {
            out.flush();
            System.err.println("telechat: " + message);
        }
    }
}
