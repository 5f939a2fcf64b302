// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tokenizer in a GGUF file's metadata, said as the files that Hugging Face's checkpoints have for it: the pieces of a
 * tokenizer.model, or a tokenizer.json of byte-level BPE; and a tokenizer_config.json with marks and chat template.
 */
public final class GgufTokenizer {
    /** Types of tokens, as in SentencePiece. */
    public static final int NORMAL = 1;

    public static final int UNKNOWN = 2;
    public static final int CONTROL = 3;
    public static final int USER_DEFINED = 4;
    public static final int UNUSED = 5;
    public static final int BYTE = 6;

    public static final String PREFIX = "tokenizer.ggml.";
    public static final String TEMPLATE = "tokenizer.chat_template";
    /** Named by its first user; the tokens are those of a SentencePiece model. */
    public static final String SENTENCE_PIECE = "llama";
    /** Likewise, of byte-level BPE. */
    public static final String BYTE_LEVEL = "gpt2";

    private final GgufMetadata metadata;
    private final String model;
    private final List<String> tokens;
    private final List<Integer> types;

    private GgufTokenizer(GgufMetadata metadata, String model) {
        this.metadata = metadata;
        this.model = model;
        this.tokens = metadata.list(PREFIX + "tokens", String.class);
        this.types = types(metadata, tokens.size());
        if (tokens.isEmpty()) {
            throw metadata.missing(PREFIX + "tokens");
        }
    }

    /**
     * @return nothing if the file has no tokenizer
     * @throws InvalidModelException if it has one of another kind
     */
    public static Optional<GgufTokenizer> of(GgufMetadata metadata) {
        String model = metadata.text(PREFIX + "model").orElse("none");
        if (model.equals("none") || model.equals("no_vocab")) {
            return Optional.empty();
        }
        if (!model.equals(SENTENCE_PIECE) && !model.equals(BYTE_LEVEL)) {
            throw new InvalidModelException(
                    "%s: its tokenizer is '%s'; telechat reads %s from GGUF",
                    metadata.path(), model, List.of(SENTENCE_PIECE, BYTE_LEVEL));
        }
        return Optional.of(new GgufTokenizer(metadata, model));
    }

    private static List<Integer> types(GgufMetadata metadata, int count) {
        List<Long> numbers = metadata.list(PREFIX + "token_type", Long.class);
        List<Integer> types = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long number = i < numbers.size() ? numbers.get(i) : NORMAL;
            if (number < NORMAL || number > BYTE) {
                throw new InvalidModelException("%s: '%s' holds %s", metadata.path(), PREFIX + "token_type", number);
            }
            types.add((int) number);
        }
        return types;
    }

    /** Whether it is a SentencePiece model, and otherwise byte-level BPE. */
    public boolean isSentencePiece() {
        return model.equals(SENTENCE_PIECE);
    }

    /**
     * What a tokenizer.model says.
     *
     * @param types as {@link GgufTokenizer#NORMAL} and its like
     */
    public record Pieces(List<String> texts, List<Float> scores, List<Integer> types, boolean addDummyPrefix) {}

    /** Of a SentencePiece model. */
    public Pieces pieces() {
        List<Float> scores = metadata.list(PREFIX + "scores", Float.class);
        if (scores.size() != tokens.size()) {
            throw new InvalidModelException(
                    "%s: has %,d tokens and %,d scores", metadata.path(), tokens.size(), scores.size());
        }
        int used = tokens.size();
        while (used > 1 && types.get(used - 1) == UNUSED) {
            used--; // fills the vocabulary up to the model's
        }
        return new Pieces(
                tokens.subList(0, used),
                scores.subList(0, used),
                types.subList(0, used),
                metadata.flag(PREFIX + "add_space_prefix").orElse(true));
    }

    /** A tokenizer.json; of byte-level BPE. */
    public ObjectNode tokenizerJson() {
        WordPatterns words = words();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ArrayNode added = json.putArray("added_tokens");
        ObjectNode vocabulary = JsonNodeFactory.instance.objectNode();
        for (int id = 0; id < tokens.size(); id++) {
            switch (types.get(id)) {
                case CONTROL, USER_DEFINED, UNKNOWN ->
                    describe(id, added.addObject().put("id", id));
                case UNUSED -> {} // fills the vocabulary up to the model's
                default -> vocabulary.put(tokens.get(id), id);
            }
        }
        if (words.isNormalized()) {
            json.putObject("normalizer").put("type", "NFC");
        } else {
            json.putNull("normalizer");
        }
        ArrayNode steps =
                json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        ObjectNode split = steps.addObject().put("type", "Split");
        split.putObject("pattern").put("Regex", words.pattern());
        split.put("behavior", "Isolated").put("invert", false);
        steps.addObject()
                .put("type", "ByteLevel")
                .put(
                        "add_prefix_space",
                        metadata.flag(PREFIX + "add_space_prefix").orElse(false))
                .put("trim_offsets", false)
                .put("use_regex", false);
        json.putObject("decoder").put("type", "ByteLevel");
        ObjectNode bpe = json.putObject("model").put("type", "BPE");
        bpe.put("ignore_merges", words.ignoresMerges());
        bpe.set("vocab", vocabulary);
        ArrayNode merges = bpe.putArray("merges");
        for (String merge : metadata.list(PREFIX + "merges", String.class)) {
            int blank = merge.indexOf(' ', 1);
            if (blank < 0) {
                throw new InvalidModelException(
                        "%s: '%s' holds %s", metadata.path(), PREFIX + "merges", Message.of("what is no pair"));
            }
            merges.addArray().add(merge.substring(0, blank)).add(merge.substring(blank + 1));
        }
        return json;
    }

    /** Older files don't say; of Qwen's there is only one way. */
    private WordPatterns words() {
        String name = metadata.text(PREFIX + "pre").orElse("default");
        boolean isQwen = metadata.text("general.architecture").orElse("").startsWith("qwen");
        return WordPatterns.named(name.equals("default") && isQwen ? "qwen2" : name)
                .orElseThrow(() -> new InvalidModelException(
                        "%s: '%s' is %s, a way to cut words that telechat does not know; give another tokenizer with"
                                + " --tokenizer",
                        metadata.path(), PREFIX + "pre", name));
    }

    private ObjectNode describe(int id, ObjectNode token) {
        return token.put("content", tokens.get(id))
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", types.get(id) != USER_DEFINED);
    }

    /** A tokenizer_config.json: what is a mark, which of them begin and end text, and the chat template. */
    public ObjectNode tokenizerConfig() {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        ObjectNode added = config.putObject("added_tokens_decoder");
        for (int id = 0; id < tokens.size(); id++) {
            int type = types.get(id);
            boolean isMark = type == CONTROL || type == UNKNOWN;
            if (isMark || type == USER_DEFINED && !isSentencePiece()) {
                describe(id, added.putObject(Integer.toString(id)));
            }
        }
        Map.of("bos", "bos", "eos", "eos", "unknown", "unk", "padding", "pad")
                .forEach((name, use) -> id(name).ifPresent(id -> config.put(use + "_token", tokens.get(id))));
        boolean bosByDefault = isSentencePiece() || words().ignoresMerges();
        config.put("add_bos_token", metadata.flag(PREFIX + "add_bos_token").orElse(bosByDefault));
        config.put("add_eos_token", metadata.flag(PREFIX + "add_eos_token").orElse(false));
        metadata.text(TEMPLATE).ifPresent(template -> config.put("chat_template", template));
        config.put("tokenizer_class", isSentencePiece() ? "LlamaTokenizer" : "PreTrainedTokenizerFast");
        return config;
    }

    private Optional<Integer> id(String use) {
        return metadata.integer(PREFIX + use + "_token_id").filter(id -> id < tokens.size());
    }

    /** A generation_config.json: the ids that begin and end. */
    public static ObjectNode generationConfig(GgufMetadata metadata) {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        metadata.integer(PREFIX + "bos_token_id").ifPresent(id -> config.put("bos_token_id", id));
        ArrayNode ends = JsonNodeFactory.instance.arrayNode();
        for (String use : List.of("eos", "eot")) { // of the text, and of one turn
            metadata.integer(PREFIX + use + "_token_id").ifPresent(ends::add);
        }
        if (!ends.isEmpty()) {
            config.set("eos_token_id", ends);
        }
        metadata.integer(PREFIX + "padding_token_id").ifPresent(id -> config.put("pad_token_id", id));
        return config;
    }
}
