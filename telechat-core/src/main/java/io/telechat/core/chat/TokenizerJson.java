// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.core.tokenizer.AddedToken;
import io.telechat.core.tokenizer.ByteLevelTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Reads a tokenizer.json of byte-level BPE, which the 1B and 7B were published with. What it asks for beyond that is refused by
 * name rather than got wrong.
 */
final class TokenizerJson {
    /** Words as GPT-2 cuts them, for files that leave the pattern to the ByteLevel step. */
    private static final String GPT2_WORDS =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private static final int MAX_ID = 1 << 21;

    private static final KeyRules MODEL = KeyRules.saying("'%s' is %s, which telechat does not compute")
            .refuse("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges");

    private final Path path;
    private Optional<Pattern> words = Optional.empty();
    private boolean addPrefixBlank;
    private boolean isByteLevel;

    private TokenizerJson(Path path) {
        this.path = path;
    }

    /** A tokenizer and the tokens that it finds in text. */
    record Read(ByteLevelTokenizer tokenizer, List<AddedToken> added) {}

    static Read read(Path path) {
        return new TokenizerJson(path).tokenizer(JsonFiles.readObject(path));
    }

    private Read tokenizer(JsonNode json) {
        JsonNode model = json.path("model");
        require(model.path("type").asText("BPE").equals("BPE"), "its model is " + model.path("type"));
        require(isEmpty(json.path("normalizer"), "normalizers"), "it normalises text");
        require(!json.hasNonNull("truncation"), "it truncates");
        MODEL.check(path, model);
        readPreTokenizer(json.path("pre_tokenizer"));
        require(isByteLevel, "it is not byte-level");
        Map<String, Integer> vocabulary = new HashMap<>();
        model.path("vocab").properties().forEach(e -> vocabulary.put(e.getKey(), id(e.getValue())));
        List<AddedToken> added = new ArrayList<>();
        for (JsonNode token : json.path("added_tokens")) {
            AddedToken one = new AddedToken(
                    id(token.path("id")),
                    token.path("content").asText(),
                    token.path("single_word").asBoolean(),
                    token.path("lstrip").asBoolean(),
                    token.path("rstrip").asBoolean(),
                    token.path("normalized").asBoolean());
            require(!one.content().isEmpty(), "an added token is empty");
            added.add(one);
            vocabulary.put(one.content(), one.id());
        }
        List<Map.Entry<String, String>> merges = new ArrayList<>();
        for (JsonNode merge : model.path("merges")) {
            merges.add(merge(merge));
        }
        return new Read(
                new ByteLevelTokenizer(
                        path.toString(),
                        vocabulary,
                        merges,
                        words.orElseGet(() -> Pattern.compile(GPT2_WORDS)),
                        addPrefixBlank,
                        added),
                added);
    }

    /** Null, or a sequence of nothing. */
    private static boolean isEmpty(JsonNode step, String parts) {
        return step.isMissingNode()
                || step.isNull()
                || step.path("type").asText().equals("Sequence")
                        && step.path(parts).isEmpty();
    }

    /** {@code "a b"}, or in newer files {@code ["a", "b"]}. */
    private Map.Entry<String, String> merge(JsonNode merge) {
        if (merge.isArray() && merge.size() == 2) {
            return Map.entry(merge.get(0).asText(), merge.get(1).asText());
        }
        String[] parts = merge.asText().split(" ");
        require(parts.length == 2, "it has a merge that is no pair");
        return Map.entry(parts[0], parts[1]);
    }

    private void readPreTokenizer(JsonNode step) {
        switch (step.path("type").asText("none")) {
            case "Sequence" -> step.path("pretokenizers").forEach(this::readPreTokenizer);
            case "Split" -> {
                require(words.isEmpty() && !isByteLevel, "it splits twice");
                require(
                        step.path("behavior").asText().equals("Isolated")
                                && !step.path("invert").asBoolean(),
                        "it splits in another way than by isolating matches");
                words = Optional.of(pattern(step.path("pattern").path("Regex").asText()));
            }
            case "ByteLevel" -> {
                isByteLevel = true;
                addPrefixBlank = step.path("add_prefix_space").asBoolean(true);
                require(words.isPresent() != step.path("use_regex").asBoolean(true), "it splits twice");
            }
            default -> require(false, "its pre-tokenizer has a step " + step.path("type"));
        }
    }

    private Pattern pattern(String regex) {
        try {
            return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
        } catch (PatternSyntaxException e) {
            throw new InvalidModelException(e, "%s: cannot be used: its pattern does not compile", path);
        }
    }

    private int id(JsonNode node) {
        require(node.isInt() && node.intValue() >= 0 && node.intValue() < MAX_ID, "an id is " + node);
        return node.intValue();
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new InvalidModelException(
                    "%s: cannot be used: %s; telechat reads byte-level BPE as the 7B has it", path, otherwise);
        }
    }
}
