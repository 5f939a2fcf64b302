// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.telechat.cli.repl.ConversationFiles;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat tokenize}. */
@Command(
        name = "tokenize",
        description = "Text to token ids and back: one JSON value per line of stdin, one per line of stdout.",
        mixinStandardHelpOptions = true)
final class TokenizeCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "directory of a tokenizer (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @ArgGroup
    private Direction direction = new Direction();

    @Option(
            names = "--markers",
            paramLabel = "POLICY",
            description = "with --chat: escape, reject or allow role markers in messages (default: escape)")
    private MarkerPolicy markers = MarkerPolicy.ESCAPE;

    @Mixin
    private SystemMessageOptions systemMessages;

    @Option(names = "--pieces", description = "print pieces instead of ids, for people")
    private boolean pieces;

    @Mixin
    private GlobalOptions global;

    private static final class Direction {
        @Option(names = "--decode", description = "lines are lists of ids, the output is text")
        private boolean decode;

        @Option(
                names = "--chat",
                description = "lines are lists of {\"role\", \"content\"}, the output is what the model is given")
        private boolean chat;
    }

    @Override
    public Integer call() {
        ChatTokenizer tokenizer = ChatTokenizer.load(ModelOptions.directory(directory));
        AtomicLong number = new AtomicLong();
        StandardStreams.forEachLine(line -> {
            String source = "stdin line " + number.incrementAndGet();
            if (!line.isBlank()) {
                System.out.println(convertLine(tokenizer, source, line));
            }
        });
        return ExitCode.OK;
    }

    /** What is wrong with a line is wrong with the data, and is told with the line. */
    private String convertLine(ChatTokenizer tokenizer, String source, String line) {
        try {
            return convert(tokenizer, source, JsonFiles.parse(source, line));
        } catch (InvalidRequestException e) {
            throw new InvalidModelException(e, "%s: %s", source, e.message());
        }
    }

    private String convert(ChatTokenizer tokenizer, String source, JsonNode value) {
        if (direction.decode) {
            return Json.line(TextNode.valueOf(tokenizer.tokenizer().decode(ids(source, value))));
        }
        if (direction.chat) {
            return print(
                    tokenizer.tokenizer(),
                    tokenizer.prompt(ConversationFiles.messages(source, value), markers, systemMessages.policy()));
        }
        if (!value.isTextual()) {
            throw new InvalidModelException("%s: expected a JSON string", source);
        }
        return print(tokenizer.tokenizer(), tokenizer.tokenizer().encode(value.asText()));
    }

    private static int[] ids(String source, JsonNode value) {
        int[] ids = new int[value.size()];
        if (!value.isArray()) {
            throw new InvalidModelException("%s: expected a list of token ids", source);
        }
        for (int i = 0; i < ids.length; i++) {
            if (!value.get(i).isInt()) {
                throw new InvalidModelException("%s: expected a list of token ids", source);
            }
            ids[i] = value.get(i).intValue();
        }
        return ids;
    }

    /** On one line, whatever is in it. */
    private static String escaped(String piece) {
        StringBuilder text = new StringBuilder();
        piece.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> {
                    if (Character.isISOControl(c) || c == 0x2028 || c == 0x2029) {
                        text.append("\\u%04x".formatted(c));
                    } else {
                        text.appendCodePoint(c);
                    }
                }
            }
        });
        return text.toString();
    }

    private String print(Tokenizer tokenizer, int[] ids) {
        if (pieces) {
            return IntStream.of(ids)
                    .mapToObj(id -> id + ":" + escaped(tokenizer.piece(id)))
                    .collect(Collectors.joining(" "));
        }
        return IntStream.of(ids).mapToObj(Integer::toString).collect(Collectors.joining(",", "[", "]"));
    }
}
