// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.core.tokenizer.TokenizerFiles;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A checkpoint's tokenizer together with its chat format. */
public final class ChatTokenizer {
    private static final Logger LOG = LoggerFactory.getLogger(ChatTokenizer.class);

    private final AtomicBoolean noted = new AtomicBoolean();
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final OptionalInt documentStart;
    private final Set<String> markers;
    private final Set<String> markersOfOwn;

    private ChatTokenizer(TokenizerFiles files, ChatTemplate template, OptionalInt documentStart) {
        this.documentStart = documentStart;
        this.tokenizer = files.tokenizer();
        this.template = template;
        this.markers = MarkerPolicy.markers(template, files.added());
        this.markersOfOwn = MarkerPolicy.withoutSpoken(markers, template);
    }

    /** The file of a directory that {@link #load} reads the vocabulary from; nothing if there is none. */
    public static Optional<Path> file(Path directory) {
        return TokenizerFiles.file(directory);
    }

    /**
     * @param directory holds what {@link TokenizerFiles#load} reads
     * @throws InvalidModelException if they are missing or damaged
     */
    public static ChatTokenizer load(Path directory) {
        return load(directory, Clock.systemDefaultZone());
    }

    /**
     * Likewise.
     *
     * @param clock for chat templates that ask what day it is
     */
    public static ChatTokenizer load(Path directory, Clock clock) {
        TokenizerFiles files = TokenizerFiles.load(directory);
        TemplateFiles beside = TemplateFiles.read(ModelFiles.of(directory));
        return new ChatTokenizer(files, ChatFormats.of(beside, files, clock), DocumentStart.of(beside, files));
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    public ChatTemplate template() {
        return template;
    }

    /**
     * The ids of a text that is no conversation, with the beginning in front that the checkpoint asks for; none for the empty text.
     */
    public int[] document(String text) {
        int[] ids = tokenizer.encode(text);
        if (documentStart.isEmpty() || ids.length == 0 || ids[0] == documentStart.getAsInt()) {
            return ids;
        }
        return IntStream.concat(IntStream.of(documentStart.getAsInt()), IntStream.of(ids))
                .toArray();
    }

    /** The id that fills what a row of training data has no text for. Where the vocabulary has none, 0: it is never read. */
    public int padId() {
        return Stream.of("<pad>", "<_pad>")
                .flatMapToInt(piece -> tokenizer.id(piece).stream())
                .findFirst()
                .orElse(0);
    }

    /**
     * Text that {@link MarkerPolicy} looks for in messages of a role. Those of the system and the assistant may hold marks of thoughts
     * and of calls of tools.
     */
    public Set<String> markers(Role role) {
        return role == Role.SYSTEM || role == Role.ASSISTANT ? markersOfOwn : markers;
    }

    /** As {@link #prompt(List, MarkerPolicy, SystemMessages)}, with system messages folded into what follows them. */
    public int[] prompt(List<ChatMessage> messages, MarkerPolicy policy) {
        return prompt(messages, policy, SystemMessages.FOLD);
    }

    /**
     * The ids that the model is given for the next answer.
     *
     * @param system what becomes of system messages that the format has no place for
     * @throws InvalidRequestException if there is no message to answer, or a policy refuses one
     */
    public int[] prompt(List<ChatMessage> messages, MarkerPolicy policy, SystemMessages system) {
        List<ChatMessage> placed = placed(messages, system);
        if (placed.isEmpty()
                || placed.getLast().role() != Role.USER && placed.getLast().role() != Role.TOOL) {
            throw new InvalidRequestException("the last message must be the user's or a tool's");
        }
        return template.render(tokenizer, policy.apply(placed, this::markers));
    }

    /** What stands in front of every answer, whatever was asked: how all prompts end. None where there is no chat format. */
    public int[] opening() {
        try {
            int[] one = template.render(tokenizer, List.of(ChatMessage.user("a")));
            int[] other = template.render(tokenizer, List.of(ChatMessage.user("b c")));
            int same = 0;
            while (same < Math.min(one.length, other.length)
                    && one[one.length - 1 - same] == other[other.length - 1 - same]) {
                same++;
            }
            return Arrays.copyOfRange(one, one.length - same, one.length);
        } catch (InvalidRequestException e) {
            return new int[0];
        }
    }

    /** The messages with every system message where the format has a place for it; the first time that takes doing is noted. */
    public List<ChatMessage> placed(List<ChatMessage> messages, SystemMessages policy) {
        List<ChatMessage> placed = policy.apply(messages, template.hasSystem());
        if (placed != messages && !noted.getAndSet(true)) {
            LOG.warn(Message.localized(
                    "the chat format has no place for %s: %s",
                    template.hasSystem()
                            ? Message.of("system messages in the middle of a dialog")
                            : Message.of("system messages"),
                    policy == SystemMessages.FOLD
                            ? Message.of("their text is put in front of the question that follows (--system-messages)")
                            : Message.of("they are left out (--system-messages)")));
        }
        return placed;
    }

    /** How tools are offered and called; empty where the format has none. */
    public Optional<ToolFormat> tools() {
        return template.tools();
    }

    /** Special tokens that calls of tools are written with: in an answer they are text, from which calls are read. */
    public Set<Integer> toolMarkIds() {
        return tools().isEmpty()
                ? Set.of()
                : ToolFormat.MARKS.stream()
                        .map(tokenizer::encode)
                        .filter(ids -> ids.length == 1)
                        .map(ids -> ids[0])
                        .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * A system message that offers tools to the model.
     *
     * @param system what else it says; may be empty
     * @param tools one JSON schema each
     * @throws InvalidRequestException if the format has no tools
     */
    public String systemWithTools(String system, List<String> tools) {
        return tools().orElseThrow(() -> new InvalidRequestException(
                        "this model's chat format has no tools; those of TeleChat2, TeleChat3,"
                                + " Qwen2.5 and Qwen3 have"))
                .offer(system, tools);
    }
}
