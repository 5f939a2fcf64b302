// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.SystemMessages;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The directory that samples are made in: of what, whether that has been done before, and how files get there.
 *
 * @param options of the run
 * @param mix of its inputs
 */
record DataOutput(DataOptions options, DataMix mix) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** All that the output depends on. */
    ObjectNode identity(InputHashes hashes) throws IOException {
        ObjectNode identity = MAPPER.createObjectNode();
        ObjectNode chosen = identity.putObject("options");
        chosen.put("recipe", options.recipe().toString());
        chosen.put("max_seq_len", options.rowTokens());
        options.samples().ifPresent(n -> chosen.put("num_samples", n));
        chosen.put("num_workers", options.shards());
        chosen.put("seed", options.seed());
        chosen.put("answers", options.trainAllAnswers() ? "all" : "last");
        if (!options.format().equals(DataFormat.AUTO)) {
            chosen.put("format", options.format().toString());
        }
        chosen.put("long_dialogs", options.longDialogs().toString());
        if (options.systemMessages() != SystemMessages.FOLD) {
            chosen.put("system_messages", options.systemMessages().toString());
        }
        identity.put("tokenizer_sha256", TokenizerIdentity.hash(options.tokenizer()));
        ArrayNode stages = identity.putArray("stages");
        for (DataMix.Stage stage : mix.stages()) {
            ObjectNode node = stages.addObject().put("share", stage.share());
            ArrayNode inputs = node.putArray("inputs");
            for (DataSource source : stage.sources()) {
                inputs.addObject()
                        .put("name", source.name())
                        .put("weight", source.weight())
                        .put("bytes", LineBatches.size(source.file()))
                        .put("sha256", hashes.of(source.file()));
            }
        }
        return identity;
    }

    /**
     * Whether the samples are there already, made of the same inputs with the same options.
     *
     * @throws InvalidRequestException if others are
     */
    boolean isDone(InputHashes hashes, WorkerTeam team) throws IOException {
        Path output = options.output();
        if (options.overwrite()) {
            return false;
        }
        Optional<DataManifest> manifest = DataManifest.find(output);
        if (manifest.isPresent() && manifest.get().shardsExist()) {
            hashes.read(files(), team);
            if (manifest.get().isOf(identity(hashes))) {
                return true;
            }
        }
        if (Files.isDirectory(output) && !shards(output).isEmpty()) {
            throw new InvalidRequestException(
                    "%s: holds other training data already; replace it with --overwrite, or choose another directory",
                    output);
        }
        return false;
    }

    private List<Path> files() {
        return mix.sources().stream().map(DataSource::file).distinct().toList();
    }

    private static List<Path> shards(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.getFileName().toString().matches("train_data_\\d+\\.safetensors"))
                    .toList();
        }
    }

    /** Moves the files into place, the manifest last: where one lies, all that it names is there. */
    void publish(Path temporary, Path manifest) throws IOException {
        Path output = options.output();
        Files.deleteIfExists(output.resolve(manifest.getFileName()));
        for (Path old : shards(output)) {
            Files.delete(old);
        }
        for (Path shard : shards(temporary)) {
            Files.move(shard, output.resolve(shard.getFileName()), StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(manifest, output.resolve(manifest.getFileName()), StandardCopyOption.ATOMIC_MOVE);
    }

    InvalidModelException unwritable(IOException e) {
        return new InvalidModelException(e, "%s: cannot be written: %s", options.output(), IoReason.of(e));
    }

    static boolean isEmpty(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }
}
