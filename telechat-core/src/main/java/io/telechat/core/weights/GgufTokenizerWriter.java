// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.gguf.GgufTokenizer;
import io.telechat.core.gguf.GgufValues;
import io.telechat.core.gguf.WordPatterns;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** A model's tokenizer in GGUF's keys: the way back of {@link GgufTokenizer}. */
final class GgufTokenizerWriter {
    private final Object source;
    private final GgufValues values;
    private final int vocabulary;
    private final List<String> tokens = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();

    private GgufTokenizerWriter(Object source, GgufValues values, int vocabulary) {
        this.source = source;
        this.values = values;
        this.vocabulary = vocabulary;
    }

    /**
     * Writes vocabulary, marks and chat template; of a model without a tokenizer, that there is none.
     *
     * @param vocabulary ids of the model, up to which unused ones are filled in
     * @throws InvalidModelException if GGUF has no way to say it
     */
    static void write(ModelFiles files, int vocabulary, GgufValues values) {
        JsonNode config = optional(files, "tokenizer_config.json");
        boolean isSentencePiece = files.has("tokenizer.model");
        Path source = files.path(isSentencePiece ? "tokenizer.model" : "tokenizer.json");
        GgufTokenizerWriter writer = new GgufTokenizerWriter(source, values, vocabulary);
        if (isSentencePiece) {
            writer.sentencePiece(files.pieces().orElseGet(() -> pieces(SentencePieceModel.read(source))), config);
        } else if (files.has("tokenizer.json")) {
            writer.byteLevel(files.json("tokenizer.json"));
        } else {
            values.text(GgufTokenizer.PREFIX + "model", "none"); // llama.cpp can be fed with ids
        }
        JsonNode generation = optional(files, "generation_config.json");
        writer.uses(config, generation.has("eos_token_id") ? generation : files.json("config.json"));
    }

    private static JsonNode optional(ModelFiles files, String name) {
        return files.has(name) ? files.json(name) : MissingNode.getInstance();
    }

    private static GgufTokenizer.Pieces pieces(SentencePieceModel model) {
        List<Piece> pieces = model.pieces();
        return new GgufTokenizer.Pieces(
                pieces.stream().map(Piece::text).toList(),
                pieces.stream().map(Piece::score).toList(),
                pieces.stream().map(piece -> piece.type().ordinal() + 1).toList(),
                model.addDummyPrefix());
    }

    /** @param config the tokenizer_config.json, or nothing */
    private void sentencePiece(GgufTokenizer.Pieces pieces, JsonNode config) {
        tokens.addAll(pieces.texts());
        types.addAll(pieces.types());
        List<Float> scores = new ArrayList<>(pieces.scores());
        config.path("added_tokens_decoder").properties().forEach(e -> add(Integer.parseInt(e.getKey()), e.getValue()));
        fill();
        scores.addAll(Collections.nCopies(Math.max(0, tokens.size() - scores.size()), 0f));
        values.text(GgufTokenizer.PREFIX + "model", GgufTokenizer.SENTENCE_PIECE);
        values.text(GgufTokenizer.PREFIX + "pre", "default");
        writeTokens();
        values.numbers(GgufTokenizer.PREFIX + "scores", scores);
        values.flag(GgufTokenizer.PREFIX + "add_space_prefix", pieces.addDummyPrefix());
    }

    /** @throws InvalidModelException if it cuts words in a way that GGUF has no name for, or is of another kind */
    private void byteLevel(JsonNode tokenizerJson) {
        JsonNode model = tokenizerJson.path("model");
        for (Map.Entry<String, JsonNode> e : model.path("vocab").properties()) {
            put(e.getValue().asInt(-1), e.getKey(), GgufTokenizer.NORMAL);
        }
        tokenizerJson.path("added_tokens").forEach(token -> add(token.path("id").asInt(-1), token));
        fill();
        values.text(GgufTokenizer.PREFIX + "model", GgufTokenizer.BYTE_LEVEL);
        values.text(GgufTokenizer.PREFIX + "pre", words(tokenizerJson));
        writeTokens();
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : model.path("merges")) {
            merges.add(
                    merge.isArray()
                            ? merge.path(0).asText() + " " + merge.path(1).asText()
                            : merge.asText());
        }
        values.texts(GgufTokenizer.PREFIX + "merges", merges);
    }

    private String words(JsonNode json) {
        JsonNode steps = json.path("pre_tokenizer").path("pretokenizers");
        JsonNode split = steps.isArray() ? steps.path(0) : json.path("pre_tokenizer");
        boolean isGpt2 = split.path("type").asText().equals("ByteLevel")
                && split.path("use_regex").asBoolean(true);
        return WordPatterns.name(
                        isGpt2
                                ? WordPatterns.GPT2
                                : split.path("pattern").path("Regex").asText(),
                        json.path("normalizer").path("type").asText().equals("NFC"),
                        json.path("model").path("ignore_merges").asBoolean())
                .orElseThrow(() -> new InvalidModelException(
                        "%s: cannot be written to GGUF: %s",
                        source, Message.of("its tokenizer cuts words in a way that has no name there")));
    }

    private void add(int id, JsonNode token) {
        put(
                id,
                token.path("content").asText(),
                token.path("special").asBoolean(true) ? GgufTokenizer.CONTROL : GgufTokenizer.USER_DEFINED);
    }

    private void put(int id, String text, int type) {
        if (id < 0 || id >= vocabulary) {
            throw new InvalidModelException(
                    "%s: cannot be written to GGUF: %s",
                    source, Message.of("token '%s' has the id %d of %d", text, id, vocabulary));
        }
        while (tokens.size() <= id) {
            unused();
        }
        tokens.set(id, text);
        types.set(id, type);
    }

    /** llama.cpp takes as many tokens as the model has ids, all of them different. */
    private void fill() {
        while (tokens.size() < vocabulary) {
            unused();
        }
    }

    private void unused() {
        tokens.add("[PAD%d]".formatted(tokens.size()));
        types.add(GgufTokenizer.UNUSED);
    }

    private void writeTokens() {
        values.texts(GgufTokenizer.PREFIX + "tokens", tokens);
        values.integers(GgufTokenizer.PREFIX + "token_type", types);
    }

    /**
     * Which ids begin and end text, and the chat template.
     *
     * @param config the tokenizer_config.json, or nothing
     * @param ids config.json or generation_config.json, whichever has them
     */
    private void uses(JsonNode config, JsonNode ids) {
        Map.of("bos", "bos", "eos", "eos", "pad", "padding", "unk", "unknown").forEach((use, name) -> {
            JsonNode named = config.path(use + "_token");
            int place = tokens.indexOf(
                    named.isTextual() ? named.asText() : named.path("content").asText());
            JsonNode given = ids.path(use + "_token_id");
            int id = given.isArray() ? given.path(0).asInt(-1) : given.asInt(place);
            if (id >= 0 && id < vocabulary) {
                values.integer(GgufTokenizer.PREFIX + name + "_token_id", id);
            }
        });
        for (String flag : List.of("add_bos_token", "add_eos_token")) {
            if (config.path(flag).isBoolean()) {
                values.flag(GgufTokenizer.PREFIX + flag, config.path(flag).asBoolean());
            }
        }
        if (config.path("chat_template").isTextual()) {
            values.text(GgufTokenizer.TEMPLATE, config.path("chat_template").asText());
        }
    }
}
