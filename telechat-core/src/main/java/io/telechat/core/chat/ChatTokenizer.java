// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.Downloads;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.tokenizer.AddedToken;
import io.telechat.core.tokenizer.SentencePieceModel;
import io.telechat.core.tokenizer.SentencePieceModel.Matching;
import io.telechat.core.tokenizer.SentencePieceTokenizer;
import io.telechat.core.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A checkpoint's tokenizer together with its chat format. Which of the published ones it is shows in the files: the 52B has
 * no piece {@code <_user>}, the 12B has one that is found in text, and TeleChat2 has one that is not.
 */
public final class ChatTokenizer {
    private static final Logger LOG = LoggerFactory.getLogger(ChatTokenizer.class);

    private final AtomicBoolean noted = new AtomicBoolean();
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final Set<String> markers;

    private ChatTokenizer(Tokenizer tokenizer, ChatTemplate template, Set<String> markers) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.markers = markers;
    }

    /** The file of a directory that {@link #load} reads the vocabulary from; nothing if there is none. */
    public static Optional<Path> file(Path directory) {
        return Stream.of("tokenizer.model", "tokenizer.json")
                .map(directory::resolve)
                .filter(Files::exists)
                .findFirst();
    }

    /**
     * @param directory holds tokenizer.model and, if the makers' defaults don't apply, tokenizer_config.json; or, as the 1B
     *     and 7B, a tokenizer.json
     * @throws InvalidModelException if they are missing or damaged
     */
    public static ChatTokenizer load(Path directory) {
        Path modelFile = directory.resolve("tokenizer.model");
        Path jsonFile = directory.resolve("tokenizer.json");
        Downloads.requireWhole(modelFile);
        if (!Files.exists(modelFile) && Files.exists(jsonFile)) {
            TokenizerJson.Read read = TokenizerJson.read(jsonFile);
            return new ChatTokenizer(
                    read.tokenizer(),
                    new TokenTemplate(false, true),
                    markers(new TokenTemplate(false, true), read.added()));
        }
        SentencePieceModel model = SentencePieceModel.read(modelFile);
        Path configFile = directory.resolve("tokenizer_config.json");
        Optional<JsonNode> config =
                Files.exists(configFile) ? Optional.of(JsonFiles.readObject(configFile)) : Optional.empty();
        boolean listed =
                config.map(c -> c.path("added_tokens_decoder").isObject()).orElse(false);
        Matching userMark = model.matching(TokenTemplate.USER);
        List<AddedToken> added = listed ? listedTokens(configFile, config.get()) : usualTokens(model, config, userMark);
        SentencePieceTokenizer tokenizer =
                new SentencePieceTokenizer(model, added, !listed && userMark != Matching.ABSENT);
        boolean userMarkAdded = added.stream().anyMatch(t -> t.content().equals(TokenTemplate.USER));
        ChatTemplate template = switch (userMark) {
            case ABSENT -> new WholeTextTemplate();
            case IN_TEXT -> new TokenTemplate(false, true);
            case CONTROL ->
                new TeleChat2Template(userMarkAdded ? Optional.empty() : Optional.of(new TokenTemplate(true, false)));
        };
        return new ChatTokenizer(tokenizer, template, markers(template, added));
    }

    private static Set<String> markers(ChatTemplate template, List<AddedToken> added) {
        Set<String> markers = new HashSet<>(template.markers());
        added.forEach(token -> markers.add(token.content()));
        return Set.copyOf(markers);
    }

    /** The tokens that newer tokenizer_config.json files list with their ids. */
    private static List<AddedToken> listedTokens(Path file, JsonNode config) {
        List<AddedToken> tokens = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry :
                config.get("added_tokens_decoder").properties()) {
            String content = entry.getValue().path("content").asText();
            if (!entry.getKey().matches("\\d{1,9}") || content.isEmpty()) {
                throw new InvalidModelException("%s: added token '%s' makes no sense", file, entry.getKey());
            }
            tokens.add(new AddedToken(
                    Integer.parseInt(entry.getKey()),
                    content,
                    entry.getValue().path("single_word").asBoolean(),
                    entry.getValue().path("lstrip").asBoolean(),
                    entry.getValue().path("rstrip").asBoolean(),
                    entry.getValue().path("normalized").asBoolean()));
        }
        return tokens;
    }

    /**
     * The tokens that older files name by their use, and that the tokenizer classes add by default. That a token must be a
     * word of its own is obeyed by the framework release that TeleChat2 is pinned to, not by that of the 12B.
     */
    private static List<AddedToken> usualTokens(
            SentencePieceModel model, Optional<JsonNode> config, Matching userMark) {
        boolean isLlamaStyle = userMark == Matching.ABSENT;
        List<String> defaults = isLlamaStyle
                ? List.of("<s>", "</s>", "<pad>", "<unk>")
                : List.of(TokenTemplate.START, TokenTemplate.END, "<_pad>", TokenTemplate.END);
        List<String> uses = List.of("bos_token", "eos_token", "pad_token", "unk_token");
        List<AddedToken> tokens = new ArrayList<>();
        for (int i = 0; i < uses.size(); i++) {
            String use = uses.get(i);
            JsonNode token = config.map(c -> c.path(use)).orElse(MissingNode.getInstance());
            String content =
                    token.isTextual() ? token.asText() : token.path("content").asText(defaults.get(i));
            boolean singleWord =
                    userMark == Matching.CONTROL && token.path("single_word").asBoolean();
            int id = idOf(model, content);
            if (id >= 0 && tokens.stream().noneMatch(t -> t.content().equals(content))) {
                tokens.add(new AddedToken(id, content, singleWord));
            }
        }
        return tokens;
    }

    private static int idOf(SentencePieceModel model, String piece) {
        for (int id = 0; id < model.pieces().size(); id++) {
            if (model.pieces().get(id).text().equals(piece)) {
                return id;
            }
        }
        return -1;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    public ChatTemplate template() {
        return template;
    }

    /** The id that fills what a row of training data has no text for. Where the vocabulary has none, 0: it is never read. */
    public int padId() {
        return Stream.of("<pad>", "<_pad>")
                .flatMapToInt(piece -> tokenizer.id(piece).stream())
                .findFirst()
                .orElse(0);
    }

    /** Text that {@link MarkerPolicy} looks for in messages. */
    public Set<String> markers() {
        return markers;
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
        return template.render(tokenizer, policy.apply(placed, markers));
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
        return template instanceof TeleChat2Template ? Optional.of(new TeleChat2Tools()) : Optional.empty();
    }

    /**
     * A system message that offers tools to the model.
     *
     * @param system what else it says; may be empty
     * @param tools one JSON schema each
     * @throws InvalidRequestException if the format has no tools
     */
    public String systemWithTools(String system, List<String> tools) {
        return tools().orElseThrow(
                        () -> new InvalidRequestException("this model's chat format has no tools; TeleChat2 has"))
                .offer(system, tools);
    }
}
