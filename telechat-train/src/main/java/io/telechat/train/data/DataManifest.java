// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.checkpoint.JsonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code manifest.json} beside the shards: what they were made of and how, what they hold, and their hashes.
 *
 * @param directory where it lies
 * @param json its contents
 */
record DataManifest(Path directory, JsonNode json) {
    static final String FILE = "manifest.json";
    private static final String FORMAT = "telechat training data";
    private static final int VERSION = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** The manifest of a directory, if it has one of ours. */
    static Optional<DataManifest> find(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        JsonNode json = JsonFiles.readObject(file);
        return json.path("format").asText().equals(FORMAT)
                ? Optional.of(new DataManifest(directory, json))
                : Optional.empty();
    }

    /** @return the file */
    static Path write(
            Path directory,
            ObjectNode identity,
            Path tokenizer,
            int padId,
            DataReport report,
            List<ShardWriter.Shard> shards)
            throws IOException {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("format", FORMAT).put("version", VERSION);
        json.setAll(identity);
        json.put("tokenizer", tokenizer.toAbsolutePath().normalize().toString());
        json.set("tokenizer_files", MAPPER.valueToTree(TokenizerIdentity.hashes(tokenizer)));
        json.put("pad_id", padId);
        json.set("report", MAPPER.valueToTree(report));
        ArrayNode files = json.putArray("shards");
        for (ShardWriter.Shard shard : shards) {
            files.addObject()
                    .put("file", shard.file())
                    .put("samples", shard.samples())
                    .put("sha256", shard.sha256());
        }
        Path file = directory.resolve(FILE);
        MAPPER.writeValue(file.toFile(), json);
        return file;
    }

    /** Whether it speaks of the same options, tokenizer and inputs. */
    boolean isOf(ObjectNode identity) {
        for (Map.Entry<String, JsonNode> field : identity.properties()) {
            if (!field.getValue().toString().equals(json.path(field.getKey()).toString())) {
                return false;
            }
        }
        return json.path("version").asInt() == VERSION;
    }

    boolean shardsExist() {
        for (JsonNode shard : json.path("shards")) {
            if (!Files.isRegularFile(directory.resolve(shard.path("file").asText()))) {
                return false;
            }
        }
        return !json.path("shards").isEmpty();
    }

    /** The hash of a shard, if it was written with this manifest. */
    Optional<String> sha256(Path shard) {
        for (JsonNode entry : json.path("shards")) {
            if (shard.getFileName().toString().equals(entry.path("file").asText())) {
                return Optional.of(entry.path("sha256"))
                        .filter(JsonNode::isTextual)
                        .map(JsonNode::asText);
            }
        }
        return Optional.empty();
    }

    Optional<Path> tokenizer() {
        return json.path("tokenizer").isTextual()
                ? Optional.of(Path.of(json.get("tokenizer").asText()))
                : Optional.empty();
    }
}
