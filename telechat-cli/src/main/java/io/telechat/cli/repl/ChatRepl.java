// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import io.telechat.core.Message;
import io.telechat.core.TelechatException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/** The loop: read, answer, show, until there is no more to read. */
public final class ChatRepl {
    private static final String PROMPT = ">>> ";

    private final ChatModel model;
    private final ChatSession session;
    private final LineInput input;
    private final AnswerView view;
    private final Consumer<List<ChatMessage>> afterEachAnswer;
    private final SlashCommands commands;
    private Optional<Generation> last = Optional.empty();

    public ChatRepl(
            ChatModel model,
            ChatSession session,
            LineInput input,
            AnswerView view,
            Consumer<List<ChatMessage>> afterEachAnswer) {
        this.model = model;
        this.session = session;
        this.input = input;
        this.view = view;
        this.afterEachAnswer = afterEachAnswer;
        this.commands = new SlashCommands(model, session, view);
    }

    /** @return the exit code */
    public int run() {
        if (input.isTerminal()) {
            view.note(SlashCommands.welcome(model));
        }
        while (true) {
            switch (input.read(PROMPT)) {
                case LineInput.Input.End end -> {
                    return 0;
                }
                case LineInput.Input.Interrupt interrupt ->
                    view.note(Message.localized("Ctrl-D or /exit leaves, /help lists commands"));
                case LineInput.Input.Text text -> {
                    if (!handleAll(text.text())) {
                        return 0;
                    }
                }
            }
        }
    }

    /** A command is one line: of several that came at once, each is taken by itself. Only a system message may have more. */
    private boolean handleAll(String text) {
        String all = text.stripTrailing();
        if (!isCommand(all) || all.startsWith("/system")) {
            return handle(all);
        }
        return all.lines().allMatch(this::handle);
    }

    private static boolean isCommand(String text) {
        return text.startsWith("/") && !text.startsWith("//");
    }

    /** Returns false if the dialog is over. */
    private boolean handle(String text) {
        try {
            if (text.isBlank()) {
                return true;
            }
            if (!isCommand(text)) {
                String message = text.startsWith("//") ? text.substring(1) : text;
                answer(stop -> session.send(ChatMessage.user(message), view::token, stop));
                return true;
            }
            return switch (commands.run(text, last)) {
                case CONTINUE -> true;
                case REGENERATE -> {
                    answer(stop -> session.regenerate(view::token, stop));
                    yield true;
                }
                case EXIT -> false;
            };
        } catch (TelechatException e) {
            view.error(e.getLocalizedMessage());
            return true;
        }
    }

    private void answer(Function<Cancellation, Generation> generate) {
        Cancellation stop = new Cancellation();
        AutoCloseable handler = input.showing(stop::cancel);
        try {
            Generation generation = generate.apply(stop);
            last = Optional.of(generation);
            view.finished(generation, session.options().seed());
            if (generation.finishReason() == FinishReason.CANCELLED) {
                view.note(Message.localized("(stopped)"));
            }
            afterEachAnswer.accept(session.messages());
        } finally {
            close(handler);
        }
    }

    private static void close(AutoCloseable handler) {
        try {
            handler.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
