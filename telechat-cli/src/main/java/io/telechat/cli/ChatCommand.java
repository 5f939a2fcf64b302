// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.cli.repl.ChatRepl;
import io.telechat.cli.repl.ConversationFiles;
import io.telechat.cli.repl.LineInput;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.tensor.DType;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.OverflowPolicy;
import io.telechat.infer.generation.GenerationOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat chat}. */
@Command(
        name = "chat",
        description = {
            "Talk to a model: interactively on a terminal, or one question with -p or on stdin.",
            "In the dialog, \"\"\" begins and ends a message of several lines, /help lists commands, Ctrl-C stops an"
                    + " answer, Ctrl-D leaves."
        },
        mixinStandardHelpOptions = true)
final class ChatCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            description = "checkpoint directory (default: $TELECHAT_MODEL, or else a small demonstration model)")
    private Optional<Path> directory = Optional.empty();

    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "TEXT",
            description = "ask one question and leave; - for stdin")
    private Optional<String> prompt = Optional.empty();

    @Option(
            names = {"-i", "--interactive"},
            description = "read messages line by line even if stdin is not a terminal")
    private boolean interactive;

    @Option(names = "--system", paramLabel = "TEXT", description = "system message; see --system-messages")
    private Optional<String> system = Optional.empty();

    @Mixin
    private SystemMessageOptions systemMessages;

    @Option(
            names = "--tools",
            paramLabel = "FILE",
            description = "JSON list of tool schemas to offer, where the chat format has tools")
    private Optional<Path> tools = Optional.empty();

    @Option(
            names = "--history",
            paramLabel = "FILE",
            description = "JSON list of role/content to go on from; updated after each answer")
    private Optional<Path> history = Optional.empty();

    @Option(
            names = "--markers",
            paramLabel = "POLICY",
            description = "escape, reject or allow role markers in messages (default: escape)")
    private MarkerPolicy markers = MarkerPolicy.ESCAPE;

    @Option(
            names = "--context-overflow",
            paramLabel = "POLICY",
            description = "when the context is full: drop-oldest-turns from the prompt (default), or error")
    private OverflowPolicy overflow = OverflowPolicy.DROP_OLDEST_TURNS;

    @Option(
            names = "--max-thinking-tokens",
            paramLabel = "N",
            description =
                    "end the thoughts in front of an answer after so many tokens, where the model thinks; 0: none")
    private Optional<Integer> maxThinkingTokens = Optional.empty();

    @Option(
            names = "--show-thinking",
            description = "print the thoughts in front of answers, too: dimmed on a terminal, elsewhere between marks")
    private boolean showThinking;

    @Option(names = "--stats", description = "after each answer, say how fast it came")
    private boolean stats;

    @Option(names = "--json", description = "print one JSON object per event")
    private boolean json;

    @Mixin
    private GenerationFlags flags;

    @Mixin
    private AdaptedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        return modelOptions.run(spec, this::directory, DType.BF16, RankWork.DIALOG, global, this::run);
    }

    private int run() throws IOException {
        Path checkpoint = directory(); // what is wrong with it is said before anything is read
        Optional<String> question = oneQuestion();
        if (history.isPresent()) {
            OutputFiles.check(history.get());
        }
        try (ChatModel model = modelOptions.load(checkpoint, global);
                ChatSession session = model.newSession()) {
            GenerationOptions options = flags.over(model);
            session.setOptions(maxThinkingTokens
                            .map(options::withMaxThinkingTokens)
                            .orElse(options))
                    .setMarkerPolicy(markers)
                    .setSystemMessages(systemMessages.policy())
                    .setOverflowPolicy(overflow);
            model.chatTokenizer();
            ChatPrinter printer = new ChatPrinter(json, global.colored(), stats, showThinking);
            if (history.isPresent() && Files.exists(history.get())) {
                session.setMessages(ConversationFiles.load(history.get()));
            }
            setSystem(model, session);
            if (question.isPresent()) {
                printer.answer(session, question.get());
                saveHistory(session.messages());
                modelOptions.report(model);
                return ExitCode.OK;
            }
            try (LineInput input = input()) {
                if (input.isTerminal()) {
                    printer.wrapAt(input::width);
                }
                int code = new ChatRepl(model, session, input, printer, this::saveHistory).run();
                modelOptions.report(model);
                return code;
            }
        }
    }

    private LineInput input() throws IOException {
        if (modelOptions.rank().isPresent()) {
            return new RankInput(modelOptions.rank().get());
        }
        return Terminals.isInput() && Terminals.isOutput() && !json
                ? LineInput.onTerminal()
                : LineInput.of(StandardStreams.input());
    }

    private Path directory() {
        return DemoModel.orGiven(directory.or(ModelOptions::fromEnvironment), global.quiet);
    }

    private void saveHistory(List<ChatMessage> messages) {
        history.ifPresent(file -> ConversationFiles.save(file, messages));
    }

    private Optional<String> oneQuestion() {
        Optional<String> question = prompt.map(p -> p.equals("-") ? StandardStreams.readInput() : p);
        if (question.isEmpty() && !interactive && !Terminals.isInput() && !RankProcess.hasDialog()) {
            question = Optional.of(StandardStreams.readInput().stripTrailing());
        }
        if (question.isPresent() && question.get().isBlank()) {
            throw new InvalidRequestException("the prompt is empty: there is nothing to answer");
        }
        return question;
    }

    private void setSystem(ChatModel model, ChatSession session) {
        if (tools.isPresent()) {
            JsonNode list = Json.read(tools.get());
            if (!list.isArray() || list.isEmpty()) {
                throw new InvalidModelException("%s: expected a JSON list of tool schemas", tools.get());
            }
            List<String> schemas = new ArrayList<>();
            list.forEach(tool -> schemas.add(tool.toString()));
            session.setSystem(model.chatTokenizer().systemWithTools(system.orElse(""), schemas));
        } else {
            system.ifPresent(session::setSystem);
        }
    }
}
