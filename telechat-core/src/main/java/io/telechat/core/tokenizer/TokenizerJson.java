// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.KeyRules;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * Reads a tokenizer.json of BPE, over bytes as that of Llama 3, Qwen 2 and TeleChat's 7B, or over characters as that of Llama 2. What
 * it asks for beyond that is refused by name rather than got wrong. Its post-processor is of no interest: no begin or end token is
 * added.
 */
final class TokenizerJson {
    private static final int MAX_ID = PairTable.KEY_LIMIT - 1;
    private static final int BYTES = 256;

    private static final KeyRules MODEL = KeyRules.saying("'%s' is %s, which telechat does not compute")
            .refuse("dropout", "continuing_subword_prefix", "end_of_word_suffix");

    private final Path path;
    private final JsonSteps json;

    private TokenizerJson(Path path) {
        this.path = path;
        this.json = new JsonSteps(path);
    }

    /** @param path to name in complaints */
    static TokenizerFiles read(Path path, JsonNode file) {
        return new TokenizerJson(path).tokenizer(file);
    }

    private TokenizerFiles tokenizer(JsonNode file) {
        JsonNode model = file.path("model");
        json.require(model.path("type").asText("BPE").equals("BPE"), Message.of("its model is %s", model.path("type")));
        json.require(!file.hasNonNull("truncation"), Message.of("it truncates"));
        MODEL.check(path, model);
        UnaryOperator<String> normalizer = new JsonNormalizer(json).read(file.path("normalizer"));
        JsonPreTokenizer.Cutting cutting = new JsonPreTokenizer(json).read(file.path("pre_tokenizer"));
        JsonDecoder.Decoding decoding = new JsonDecoder(json).read(file.path("decoder"), cutting.isByteLevel());
        Map<String, Integer> vocabulary = new HashMap<>();
        model.path("vocab").properties().forEach(e -> vocabulary.put(e.getKey(), id(e.getValue())));
        List<AddedToken> added = added(file.path("added_tokens"));
        List<AddedToken> textTokens = added.stream().filter(t -> !t.special()).toList();
        PipelineTokenizer tokenizer = new PipelineTokenizer(
                vocabulary(vocabulary, added, normalizer, decoding),
                UnaryOperator.identity(),
                new MatchedTokens(path, added, normalizer)::split,
                new MatchedTokens(path, textTokens, normalizer)::split,
                cutting.words(),
                cutting.isByteLevel() ? byteLevel(model, vocabulary) : characters(model, vocabulary),
                decoding.joining());
        return new TokenizerFiles(tokenizer, added, TokenizerFiles.Kind.JSON, start(file.path("post_processor")));
    }

    /** What the first template of a post-processor puts in front of a single text. */
    private static Optional<String> start(JsonNode step) {
        for (JsonNode part : step.path("processors")) {
            Optional<String> found = start(part);
            if (found.isPresent()) {
                return found;
            }
        }
        JsonNode first = step.path("single").path(0).path("SpecialToken").path("id");
        return first.isTextual() ? Optional.of(first.asText()) : Optional.empty();
    }

    private List<AddedToken> added(JsonNode list) {
        List<AddedToken> added = new ArrayList<>();
        for (JsonNode token : list) {
            String content = token.path("content").asText();
            json.require(!content.isEmpty(), Message.of("an added token is empty"));
            added.add(SentencePieceFiles.addedToken(id(token.path("id")), content, token));
        }
        return added;
    }

    private int id(JsonNode node) {
        boolean isId = node.isInt() && node.intValue() >= 0 && node.intValue() < MAX_ID;
        json.require(isId, Message.of("an id is %s", node));
        return node.intValue();
    }

    /** Added tokens that are looked for in normalized text are normalized when they come out, too. */
    private static PipelineTokenizer.Vocabulary vocabulary(
            Map<String, Integer> ids,
            List<AddedToken> added,
            UnaryOperator<String> normalizer,
            JsonDecoder.Decoding decoding) {
        int size = 0;
        for (int id : ids.values()) {
            size = Math.max(size, id + 1);
        }
        Map<Integer, AddedToken> addedOf = new HashMap<>();
        for (AddedToken token : added) {
            size = Math.max(size, token.id() + 1);
            addedOf.put(token.id(), token);
        }
        String[] pieces = new String[size];
        byte[][] bytes = new byte[size][];
        ids.forEach((piece, id) -> {
            pieces[id] = piece;
            bytes[id] = decoding.bytesOf().apply(piece);
        });
        for (AddedToken token : added) {
            String shown = token.normalized() ? normalizer.apply(token.content()) : token.content();
            pieces[token.id()] = token.content();
            bytes[token.id()] = decoding.bytesOfAdded().apply(shown);
        }
        return new PipelineTokenizer.Vocabulary(pieces, bytes, addedOf);
    }

    private BpeModel byteLevel(JsonNode model, Map<String, Integer> vocabulary) {
        int[] idOfByte = new int[BYTES];
        for (int b = 0; b < BYTES; b++) {
            Integer id = vocabulary.get(ByteCharacters.of(b));
            if (id == null) {
                throw new InvalidModelException("%s: the vocabulary has no piece for byte %d", path, b);
            }
            idOfByte[b] = id;
        }
        CharacterBorders borders = new CharacterBorders();
        RankedMerges merges = merges(
                model.path("merges"), vocabulary, (left, right) -> borders.add(ByteCharacters.bytes(left + right)));
        ByteLevelBpe merging = new ByteLevelBpe(idOfByte, merges, borders);
        return model.path("ignore_merges").asBoolean() ? merging.wholeWordsFirst(bytes(vocabulary)) : merging;
    }

    private static byte[][] bytes(Map<String, Integer> vocabulary) {
        byte[][] bytes = new byte
                [1 + vocabulary.values().stream().mapToInt(id -> id).max().orElse(-1)][];
        vocabulary.forEach((piece, id) -> bytes[id] = ByteCharacters.bytes(piece));
        return bytes;
    }

    private BpeModel characters(JsonNode model, Map<String, Integer> vocabulary) {
        PairFilter neighbours = new PairFilter();
        JsonNode unknown = model.path("unk_token");
        boolean isKnown = !unknown.isTextual() || vocabulary.containsKey(unknown.textValue());
        json.require(isKnown, Message.of("its vocabulary lacks its 'unk_token' %s", unknown));
        return new CharacterBpe(
                vocabulary,
                merges(
                        model.path("merges"),
                        vocabulary,
                        (left, right) -> addNeighbours(neighbours, left, right, vocabulary)),
                neighbours,
                new CharacterBpe.Fallbacks(
                        model.path("byte_fallback").asBoolean(),
                        unknown.isTextual() ? Optional.of(vocabulary.get(unknown.textValue())) : Optional.empty(),
                        model.path("fuse_unk").asBoolean(),
                        model.path("ignore_merges").asBoolean()));
    }

    /** @param each gets the two pieces of each merge */
    private RankedMerges merges(JsonNode list, Map<String, Integer> vocabulary, BiConsumer<String, String> each) {
        RankedMerges merges = new RankedMerges(list.size());
        int number = 0;
        for (JsonNode merge : list) {
            String[] parts = merge.isArray() && merge.size() == 2 // newer files have ["a", "b"], older ones "a b"
                    ? new String[] {merge.get(0).asText(), merge.get(1).asText()}
                    : merge.asText().split(" ");
            json.require(parts.length == 2, Message.of("it has a merge that is no pair"));
            Integer left = vocabulary.get(parts[0]);
            Integer right = vocabulary.get(parts[1]);
            Integer result = vocabulary.get(parts[0] + parts[1]);
            if (left == null || right == null || result == null) {
                throw new InvalidModelException("%s: merge %d names pieces that the vocabulary lacks", path, number);
            }
            merges.set(number++, left, right, result);
            each.accept(parts[0], parts[1]);
        }
        return merges;
    }

    /** The symbols that meet where two pieces do: their characters there, or, of pieces that stand for bytes, they themselves. */
    private static void addNeighbours(
            PairFilter neighbours, String left, String right, Map<String, Integer> vocabulary) {
        int leftId = vocabulary.get(left);
        int rightId = vocabulary.get(right);
        int last = left.isEmpty()
                ? leftId
                : vocabulary.getOrDefault(Character.toString(left.codePointBefore(left.length())), leftId);
        int first =
                right.isEmpty() ? rightId : vocabulary.getOrDefault(Character.toString(right.codePointAt(0)), rightId);
        neighbours.add(last, first);
        neighbours.add(leftId, first);
        neighbours.add(last, rightId);
        neighbours.add(leftId, rightId);
    }
}
