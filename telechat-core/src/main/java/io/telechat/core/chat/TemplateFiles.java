// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.ModelFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What lies beside a tokenizer and says how to chat: a template in Jinja, and the texts of the tokens that it names.
 *
 * @param template the one for conversations
 * @param withTools another one where tools are offered; empty where the first does that, too
 * @param origin the file that has them, for complaints
 * @param tokens {@code bos_token} and so on
 * @param addsStart whether texts begin with the first of these, if that is said
 */
record TemplateFiles(
        Optional<String> template,
        Optional<String> withTools,
        Path origin,
        Map<String, String> tokens,
        Optional<Boolean> addsStart) {
    private static final int MAX_BYTES = 4_000_000;
    private static final String KEY = "chat_template";
    private static final List<String> TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token");

    /** @throws InvalidModelException if a file cannot be read */
    static TemplateFiles read(ModelFiles files) {
        Map<String, String> tokens = new LinkedHashMap<>();
        if (files.has("special_tokens_map.json")) {
            addTokens(tokens, files.json("special_tokens_map.json"));
        }
        Map<String, String> named = new LinkedHashMap<>();
        Optional<Boolean> addsStart = Optional.empty();
        Path origin = files.path("tokenizer_config.json");
        if (files.has("tokenizer_config.json")) {
            JsonNode config = files.json("tokenizer_config.json");
            addTokens(tokens, config);
            addTemplates(named, config.path(KEY));
            JsonNode adds = config.path("add_bos_token");
            addsStart = adds.isBoolean() ? Optional.of(adds.booleanValue()) : Optional.empty();
        }
        if (files.has("chat_template.json")) {
            addTemplates(named, files.json("chat_template.json").path(KEY));
            origin = files.path("chat_template.json");
        }
        if (files.has("chat_template.jinja")) {
            origin = files.path("chat_template.jinja");
            named.put("default", text(origin));
        }
        return new TemplateFiles(
                Optional.ofNullable(named.get("default")),
                Optional.ofNullable(named.get("tool_use")),
                origin,
                tokens,
                addsStart);
    }

    /** A token is a text, or an object with one. */
    private static void addTokens(Map<String, String> tokens, JsonNode file) {
        for (String name : TOKENS) {
            JsonNode token = file.path(name);
            String text =
                    token.isTextual() ? token.asText() : token.path("content").asText();
            if (!text.isEmpty()) {
                tokens.put(name, text);
            }
        }
    }

    /** One template, or a list of those with names. */
    private static void addTemplates(Map<String, String> named, JsonNode node) {
        if (node.isTextual()) {
            named.put("default", node.asText());
        }
        for (JsonNode one : node) {
            if (one.path("template").isTextual()) {
                named.put(one.path("name").asText(), one.path("template").asText());
            }
        }
    }

    private static String text(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new InvalidModelException(
                        "%s: %,d bytes is too long for a chat template", file, Files.size(file));
            }
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
    }
}
