// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.generation.Generation;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What begins with a slash. */
final class SlashCommands {
    /** For completion. */
    static final List<String> NAMES = List.of(
            "/help", "/set", "/show", "/clear", "/save", "/load", "/system", "/regen", "/think", "/stats", "/exit");

    /** What takes nothing. */
    private static final Set<String> ALONE =
            Set.of("/help", "/?", "/show", "/clear", "/regen", "/think", "/stats", "/exit", "/quit", "/bye");

    private static final Message HELP = Message.joined(
            "\n",
            List.of(
                    Message.of("/set NAME VALUE   change an option of the following answers; /set alone lists them"),
                    Message.of("/show             the conversation so far"),
                    Message.of("/system TEXT      set the system message; without TEXT, remove it"),
                    Message.of("/clear            begin anew"),
                    Message.of("/save FILE        write the conversation as JSON"),
                    Message.of("/load FILE        go on from a saved conversation"),
                    Message.of("/regen            another answer to the last question"),
                    Message.of("/think            show or hide the thoughts in front of answers"),
                    Message.of("/stats            how fast the last answer came"),
                    Message.of("/exit             leave (or Ctrl-D)"),
                    Message.of("//…               a message that begins with a slash"),
                    Message.of("\"\"\"               begins and ends a message of several lines")));

    /** The first line of a dialog. */
    static String welcome(ChatModel model) {
        return Message.localized(
                "%s, %,d parameters, context %,d; /help lists commands, Ctrl-D leaves",
                model.info().architecture(), model.info().parameters(), model.contextLength());
    }

    /** What the dialog does next. */
    enum Outcome {
        CONTINUE,
        REGENERATE,
        EXIT
    }

    private final ChatModel model;
    private final ChatSession session;
    private final AnswerView view;

    SlashCommands(ChatModel model, ChatSession session, AnswerView view) {
        this.model = model;
        this.session = session;
        this.view = view;
    }

    Outcome run(String line, Optional<Generation> last) {
        String[] words = line.strip().split("\\s+", 2);
        String argument = words.length > 1 ? words[1].strip() : "";
        if (!argument.isEmpty() && ALONE.contains(words[0])) {
            throw new InvalidRequestException("%s stands alone: '%s' is too much", words[0], argument);
        }
        switch (words[0]) {
            case "/help", "/?" -> view.note(HELP.localized());
            case "/set" -> view.note(new SessionSettings(session).set(argument));
            case "/show" -> show();
            case "/clear" -> {
                session.setMessages(session.messages().stream()
                        .filter(m -> m.role() == Role.SYSTEM)
                        .toList());
                view.note(Message.localized("a new conversation"));
            }
            case "/save" -> {
                ConversationFiles.save(file(argument), session.messages());
                view.note(Message.localized("saved to %s", argument));
            }
            case "/load" -> {
                List<ChatMessage> messages = ConversationFiles.load(file(argument));
                session.setMessages(messages);
                view.note(Message.localized("%d messages from %s", messages.size(), argument));
            }
            case "/system" -> {
                session.setSystem(argument);
                view.note(
                        argument.isEmpty()
                                ? Message.localized("no system message")
                                : Message.localized("system message set"));
            }
            case "/regen" -> {
                return Outcome.REGENERATE;
            }
            case "/think" ->
                view.note(
                        view.toggleThinking()
                                ? Message.localized("thoughts are shown")
                                : Message.localized("thoughts are hidden"));
            case "/stats" -> view.note(stats(last));
            case "/exit", "/quit", "/bye" -> {
                return Outcome.EXIT;
            }
            default -> throw unknown(words[0]);
        }
        return Outcome.CONTINUE;
    }

    private static InvalidRequestException unknown(String command) {
        return Suggestions.nearest(command, NAMES)
                .map(near -> new InvalidRequestException("unknown command %s; did you mean %s?", command, near))
                .orElseGet(() -> new InvalidRequestException("unknown command %s; /help lists them", command));
    }

    private void show() {
        view.note(model.info().architecture() + ", " + model.backendDescription());
        for (ChatMessage message : session.messages()) {
            view.note("[%s] %s".formatted(message.role().lowerCase(), message.content()));
        }
    }

    private static Path file(String argument) {
        if (argument.isEmpty()) {
            throw new InvalidRequestException("which file? For example: /save talk.json");
        }
        return argument.equals("~") || argument.startsWith("~/")
                ? Path.of(System.getProperty("user.home") + argument.substring(1))
                : Path.of(argument);
    }

    private String stats(Optional<Generation> last) {
        return last.map(g -> Message.localized(
                        "%s; context %,d of %,d",
                        g.summary(), g.usage().promptTokens() + g.usage().completionTokens(), model.contextLength()))
                .orElseGet(() -> Message.localized("no answer yet"));
    }
}
