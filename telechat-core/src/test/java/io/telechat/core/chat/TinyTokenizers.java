// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Vocabularies of bytes with the marks of each family, which its chat format is known by. */
public final class TinyTokenizers {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private TinyTokenizers() {}

    /** tokenizer.model of Llama 2's layout. */
    public static void writeLlama2(Path directory) throws IOException {
        List<Piece> pieces = new ArrayList<>(List.of(
                new Piece("<unk>", 0, Piece.Type.UNKNOWN),
                new Piece("<s>", 0, Piece.Type.CONTROL),
                new Piece("</s>", 0, Piece.Type.CONTROL)));
        SentencePieceWriter.byteVocabulary().stream()
                .filter(piece -> piece.type() == Piece.Type.BYTE || piece.type() == Piece.Type.NORMAL)
                .forEach(pieces::add);
        SentencePieceWriter.write(directory.resolve("tokenizer.model"), pieces);
    }

    /** tokenizer.model and tokenizer_config.json of TeleChat3's layout. */
    public static void writeTeleChat3(Path directory) throws IOException {
        List<Piece> pieces = new ArrayList<>();
        for (Piece piece : SentencePieceWriter.byteVocabulary()) {
            boolean isMark = piece.type() == Piece.Type.USER_DEFINED;
            pieces.add(isMark ? new Piece(piece.text(), 0, Piece.Type.CONTROL) : piece);
        }
        ObjectNode config = MAPPER.createObjectNode();
        ObjectNode added = config.putObject("added_tokens_decoder");
        for (int id = 1; id <= 6; id++) {
            added.putObject(Integer.toString(id)).put("content", pieces.get(id).text());
        }
        for (String mark :
                List.of("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")) {
            added.putObject(Integer.toString(pieces.size())).put("content", mark);
            pieces.add(new Piece(mark, 0, Piece.Type.CONTROL));
        }
        SentencePieceWriter.write(directory.resolve("tokenizer.model"), pieces);
        MAPPER.writeValue(directory.resolve("tokenizer_config.json").toFile(), config);
    }

    /** qwen.tiktoken of bytes only. */
    public static void writeQwen1(Path directory) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            lines.add(Base64.getEncoder().encodeToString(new byte[] {(byte) b}) + " " + b);
        }
        Files.write(directory.resolve("qwen.tiktoken"), lines);
    }

    /**
     * tokenizer.json over bytes.
     *
     * @param marks special tokens, behind the bytes
     * @param words added tokens that are no marks, behind those
     */
    public static void writeJson(Path directory, List<String> marks, List<String> words) throws IOException {
        ObjectNode json = MAPPER.createObjectNode();
        ObjectNode model = json.putObject("model").put("type", "BPE");
        ObjectNode vocabulary = model.putObject("vocab");
        model.putArray("merges");
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean isShown = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            vocabulary.put(Character.toString(isShown ? b : next++), b);
        }
        json.putObject("pre_tokenizer")
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("use_regex", true);
        json.putObject("decoder").put("type", "ByteLevel");
        ArrayNode added = json.putArray("added_tokens");
        int id = 256;
        for (String mark : marks) {
            added.addObject().put("id", id++).put("content", mark).put("special", true);
        }
        for (String word : words) {
            added.addObject().put("id", id++).put("content", word).put("special", false);
        }
        MAPPER.writeValue(directory.resolve("tokenizer.json").toFile(), json);
    }

    /** A tokenizer_config.json with the templates of these resources. */
    public static void writeConfig(Path directory, String template) throws IOException {
        ObjectNode config = MAPPER.createObjectNode()
                .put("bos_token", "<s>")
                .put("eos_token", "<|endoftext|>")
                .put("chat_template", template);
        MAPPER.writeValue(directory.resolve("tokenizer_config.json").toFile(), config);
    }

    /** One of the chat templates in these resources. */
    public static String template(String name) throws IOException {
        return Files.readString(Path.of("src", "test", "resources", "chat-templates", name + ".jinja"));
    }
}
