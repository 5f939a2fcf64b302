// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.generation.Generation;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Tokens and their log-probabilities as the API writes them. */
final class TokenTexts {
    private static final byte[] NO_BYTES = {};

    private final Tokenizer tokenizer;

    TokenTexts(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * The text that a token stands for; of part of a character, its bytes in hexadecimal, which no other token has, and of an id
     * that only the model has, as vocabularies are padded, the number.
     */
    String of(int id) {
        if (!tokenizer.has(id)) {
            return "token_id:" + id;
        }
        byte[] bytes = tokenizer.bytes(id);
        if (bytes.length == 0) {
            return tokenizer.piece(id);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            StringBuilder text = new StringBuilder("bytes:");
            for (byte b : bytes) {
                text.append("\\x%02x".formatted(b));
            }
            return text.toString();
        }
    }

    /** For {@code chat.completion}: {@code {token, logprob, bytes, top_logprobs}}. */
    ObjectNode chatRow(Generation.TokenLogprob logprob) {
        ObjectNode row = entry(logprob.id(), logprob.logprob());
        ArrayNode top = row.putArray("top_logprobs");
        logprob.alternatives().forEach(other -> top.add(entry(other.id(), other.logprob())));
        return row;
    }

    private ObjectNode entry(int id, double logprob) {
        ObjectNode entry = JsonNodeFactory.instance.objectNode();
        entry.put("token", of(id));
        entry.put("logprob", finite(logprob));
        ArrayNode bytes = entry.putArray("bytes");
        for (byte b : tokenizer.has(id) ? tokenizer.bytes(id) : NO_BYTES) {
            bytes.add(b & 0xff);
        }
        return entry;
    }

    /** JSON has no infinity: OpenAI says -9999 of what cannot be. */
    private static double finite(double logprob) {
        return Math.max(logprob, -9999);
    }

    /** For {@code text_completion}: lists of tokens, log-probabilities, alternatives and offsets in the text. */
    final class Columns {
        private final ObjectNode json = JsonNodeFactory.instance.objectNode();
        private final ArrayNode tokens = json.putArray("tokens");
        private final ArrayNode logprobs = json.putArray("token_logprobs");
        private final ArrayNode top = json.putArray("top_logprobs");
        private final ArrayNode offsets = json.putArray("text_offset");
        private int offset;

        /** @param offset in the text of the first token */
        Columns(int offset) {
            this.offset = offset;
        }

        /** A token that nothing is known of: the first of a prompt. */
        void addUnknown(int id) {
            tokens.add(of(id));
            logprobs.addNull();
            top.addNull();
            offsets.add(offset);
            offset += of(id).length();
        }

        void addAll(List<Generation.TokenLogprob> rows) {
            rows.forEach(this::add);
        }

        void add(Generation.TokenLogprob row) {
            String text = of(row.id());
            tokens.add(text);
            logprobs.add(finite(row.logprob()));
            ObjectNode alternatives = top.addObject();
            row.alternatives().forEach(other -> alternatives.put(of(other.id()), finite(other.logprob())));
            alternatives.put(text, finite(row.logprob()));
            offsets.add(offset);
            offset += text.length();
        }

        int offset() {
            return offset;
        }

        ObjectNode json() {
            return json;
        }
    }
}
