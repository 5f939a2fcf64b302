// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.tokenizer.SentencePieceModel.Matching;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A tokenizer.model, and which tokens are added to it by the tokenizer_config.json beside it. */
final class SentencePieceFiles {
    private static final String USER = "<_user>";
    private static final String END = "<_end>";
    private static final String LISTED = "added_tokens_decoder";

    private SentencePieceFiles() {}

    static TokenizerFiles read(ModelFiles files) {
        SentencePieceModel model = SentencePieceModel.of(files);
        Path configFile = files.path("tokenizer_config.json");
        Optional<JsonNode> config = files.has("tokenizer_config.json")
                ? Optional.of(files.json("tokenizer_config.json"))
                : Optional.empty();
        boolean listed = config.map(c -> c.path(LISTED).isObject()).orElse(false);
        Matching userMark = model.matching(USER);
        List<AddedToken> added = listed ? listedTokens(configFile, config.get()) : usualTokens(model, config, userMark);
        return new TokenizerFiles(
                new SentencePieceTokenizer(model, added, !listed && userMark != Matching.ABSENT),
                added,
                userMark == Matching.CONTROL
                        ? TokenizerFiles.Kind.SENTENCE_PIECE_WITH_CONTROL_MARKS
                        : TokenizerFiles.Kind.SENTENCE_PIECE,
                Optional.empty());
    }

    /** The tokens that newer tokenizer_config.json files list with their ids. */
    private static List<AddedToken> listedTokens(Path file, JsonNode config) {
        List<AddedToken> tokens = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : config.get(LISTED).properties()) {
            JsonNode token = entry.getValue();
            String content = token.path("content").asText();
            if (!entry.getKey().matches("\\d{1,9}") || content.isEmpty()) {
                throw new InvalidModelException("%s: added token '%s' makes no sense", file, entry.getKey());
            }
            tokens.add(addedToken(Integer.parseInt(entry.getKey()), content, token));
        }
        return tokens;
    }

    /** A token as JSON files of the reference's framework describe it. One that does not say so is a mark, to be on the safe side. */
    static AddedToken addedToken(int id, String content, JsonNode token) {
        return new AddedToken(
                id,
                content,
                token.path("single_word").asBoolean(),
                token.path("lstrip").asBoolean(),
                token.path("rstrip").asBoolean(),
                token.path("normalized").asBoolean(),
                token.path("special").asBoolean(true));
    }

    /**
     * The tokens that older files name by their use, and that the tokenizer classes add by default. That a token must be a
     * word of its own is obeyed by the framework release that TeleChat2 is pinned to, not by that of the 12B.
     */
    private static List<AddedToken> usualTokens(
            SentencePieceModel model, Optional<JsonNode> config, Matching userMark) {
        boolean isLlamaStyle = userMark == Matching.ABSENT;
        List<String> defaults =
                isLlamaStyle ? List.of("<s>", "</s>", "<pad>", "<unk>") : List.of("<_start>", END, "<_pad>", END);
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
}
