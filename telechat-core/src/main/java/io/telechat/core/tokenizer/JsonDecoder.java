// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.Message;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Reads the decoder of a tokenizer.json. What comes out differs from the library's in two ways, both where its own loses text
 * that SentencePiece keeps: of bytes that make no character, others beside them do; and Metaspace takes one blank off the
 * beginning, not all.
 */
record JsonDecoder(JsonSteps json) {
    /**
     * How ids become text.
     *
     * @param bytesOf the bytes of a piece
     * @param bytesOfAdded the bytes of an added token
     */
    record Decoding(
            Function<String, byte[]> bytesOf,
            Function<String, byte[]> bytesOfAdded,
            PipelineTokenizer.Joining joining) {}

    Decoding read(JsonNode part, boolean isByteLevel) {
        List<JsonNode> steps = json.steps(part, "decoders");
        return isByteLevel ? byteLevel(steps) : characters(steps);
    }

    private Decoding byteLevel(List<JsonNode> steps) {
        for (JsonNode step : steps) {
            json.require(
                    json.type(step).equals("ByteLevel") || json.type(step).equals("Fuse"),
                    Message.of("its decoder has a step %s", step.path("type")));
        }
        return new Decoding(ByteCharacters::bytes, Utf8::encode, new PipelineTokenizer.Joining(false, ' ', 0));
    }

    private Decoding characters(List<JsonNode> steps) {
        json.require(!steps.isEmpty(), Message.of("it has no decoder"));
        UnaryOperator<String> surface = UnaryOperator.identity();
        boolean readsBytes = false;
        boolean isOne = false;
        char stripped = ' ';
        int strips = 0;
        for (JsonNode step : steps) {
            UnaryOperator<String> before = surface;
            switch (json.type(step)) {
                case "Replace" -> {
                    json.require(json.regex(step).isEmpty(), Message.of("its decoder has a pattern"));
                    String from = json.pattern(step).pattern();
                    String to = step.path("content").asText();
                    surface = text -> before.apply(text).replace(from, to);
                }
                case "Metaspace" -> {
                    char replacement = json.character(step.path("replacement"), "replacement");
                    strips = JsonPreTokenizer.prefix(step).equals("never") ? 0 : 1;
                    surface = text -> before.apply(text).replace(replacement, ' ');
                }
                case "ByteFallback" -> readsBytes = true;
                case "Fuse" -> isOne = true;
                case "Strip" -> {
                    boolean isAtStart = isOne && step.path("stop").asInt() == 0;
                    json.require(isAtStart, Message.of("its decoder strips each piece, or the end"));
                    stripped = json.character(step.path("content"), "content");
                    strips = step.path("start").asInt();
                }
                default -> throw json.refused(Message.of("its decoder has a step %s", step.path("type")));
            }
        }
        json.require(stripped < 0x80, Message.of("its decoder strips %s", String.valueOf(stripped)));
        UnaryOperator<String> all = surface;
        boolean hasBytes = readsBytes;
        return new Decoding(
                piece -> hasBytes && piece.matches("<0x[0-9A-Fa-f]{2}>")
                        ? new byte[] {(byte) Integer.parseInt(piece.substring(3, 5), 16)}
                        : Utf8.encode(all.apply(piece)),
                content -> Utf8.encode(all.apply(content)),
                new PipelineTokenizer.Joining(true, stripped, strips));
    }
}
