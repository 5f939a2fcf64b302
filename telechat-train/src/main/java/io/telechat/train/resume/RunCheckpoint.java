// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.resume;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.DirectoryTree;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.comm.Communicator;
import io.telechat.train.TrainedModel;
import io.telechat.train.data.FileHash;
import io.telechat.train.optimizer.AdamW;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * {@code RUN/checkpoint-N}: what inference needs, {@code optimizer.safetensors} with the running means by the names of the
 * parameters, {@code run_state.json}, and {@code manifest.json} with the hash of each file, written last. The directory gets
 * its name when all of it is on disk, so one that has it is whole.
 */
public final class RunCheckpoint {
    private static final String PREFIX = "checkpoint-";
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "run_state.json";
    private static final String MANIFEST = "manifest.json";
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private RunCheckpoint() {}

    /**
     * All ranks call this; the first one writes.
     *
     * @return the directory
     */
    public static Path save(Path run, TrainedModel model, AdamW optimizer, RunState state, Communicator ranks)
            throws IOException {
        Path target = directory(run, state.step());
        Path temporary = run.resolve("." + PREFIX + state.step() + ".tmp");
        OptimizerFile file = new OptimizerFile(model, optimizer, ranks);
        if (ranks.rank() != 0) {
            model.save(temporary);
            file.write(temporary.resolve(OPTIMIZER));
            ranks.barrier();
            return target;
        }
        DirectoryTree.delete(temporary);
        Files.createDirectories(temporary);
        try {
            model.save(temporary);
            file.write(temporary.resolve(OPTIMIZER));
            MAPPER.writeValue(temporary.resolve(STATE).toFile(), state);
            writeManifest(temporary);
            sync(temporary);
            DirectoryTree.delete(target);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            DirectoryTree.delete(temporary);
        }
        sync(run);
        if (ranks.size() > 1) {
            ranks.barrier(); // none goes on as if it was saved before it is
        }
        return target;
    }

    private static void writeManifest(Path directory) throws IOException {
        ObjectNode files = MAPPER.createObjectNode();
        for (Path file : files(directory)) {
            files.put(file.getFileName().toString(), FileHash.sha256(file));
        }
        ObjectNode manifest = MAPPER.createObjectNode();
        manifest.put("format", "telechat checkpoint").put("version", 1).set("sha256", files);
        MAPPER.writeValue(directory.resolve(MANIFEST).toFile(), manifest);
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    /** Forces files, then the directory's own entries, to disk. */
    private static void sync(Path directory) throws IOException {
        for (Path file : files(directory)) {
            if (Files.isRegularFile(file)) {
                force(file);
            }
        }
        force(directory);
    }

    private static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static long step(Path checkpoint) {
        return Long.parseLong(checkpoint.getFileName().toString().substring(PREFIX.length()));
    }

    /** Checkpoints of a run, the oldest first. */
    public static List<Path> all(Path run) {
        if (!Files.isDirectory(run)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(run)) {
            return files.filter(f -> f.getFileName().toString().matches(PREFIX + "\\d{1,18}"))
                    .sorted(Comparator.comparing(RunCheckpoint::step))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where the checkpoint behind so many updates lies, if there is one. */
    public static Path directory(Path run, long step) {
        return run.resolve(PREFIX + step);
    }

    /**
     * Deletes all but the newest ones, and what interrupted saves have left.
     *
     * @param bestStep of a checkpoint that stays, too
     */
    public static void keepNewest(Path run, int count, long bestStep) throws IOException {
        List<Path> all = all(run);
        for (Path old : all.subList(0, Math.max(0, all.size() - count))) {
            if (step(old) != bestStep) {
                DirectoryTree.delete(old);
            }
        }
        try (Stream<Path> files = Files.list(run)) {
            for (Path left : files.filter(f -> f.getFileName().toString().matches("\\." + PREFIX + "\\d+\\.tmp"))
                    .toList()) {
                DirectoryTree.delete(left);
            }
        }
    }

    /**
     * Takes parameters, running means and state from the newest checkpoint; all ranks do.
     *
     * @param data where the samples are, for messages
     * @param fresh the state at the beginning of the run that is to go on
     * @return the state; empty if there is no checkpoint
     * @throws InvalidModelException if a file is damaged, or the checkpoint is of a run with another recipe or other samples
     */
    public static Optional<RunState> restore(
            Path run, Path data, RunState fresh, TrainedModel model, AdamW optimizer, Communicator ranks) {
        List<Path> all = all(run);
        if (all.isEmpty()) {
            return Optional.empty();
        }
        Path newest = all.getLast();
        try {
            if (ranks.rank() == 0) {
                verify(newest);
            }
            if (ranks.size() > 1) {
                ranks.barrier();
            }
            RunState state = MAPPER.readValue(newest.resolve(STATE).toFile(), RunState.class);
            requireSameRun(run, data, fresh, state);
            model.restore(newest);
            new OptimizerFile(model, optimizer, ranks).read(newest.resolve(OPTIMIZER));
            model.updated(state.step());
            return Optional.of(state);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", newest, IoReason.of(e));
        }
    }

    private static void requireSameRun(Path run, Path data, RunState now, RunState then) {
        List<String> before = RunRecipe.differences(then.recipe(), now.recipe());
        if (!before.isEmpty()) {
            throw new InvalidModelException(
                    "%s: was trained with other options; resume with the same ones, or choose another --output-dir."
                            + " Then: %s. Now: %s",
                    run,
                    String.join(", ", before),
                    String.join(", ", RunRecipe.differences(now.recipe(), then.recipe())));
        }
        if (!now.data().equals(then.data())) {
            throw new InvalidModelException(
                    "%s: was trained with other samples than those of %s; resume with the same ones, or choose another"
                            + " --output-dir",
                    run, data);
        }
    }

    private static void verify(Path checkpoint) throws IOException {
        JsonNode manifest = JsonFiles.readObject(checkpoint.resolve(MANIFEST));
        for (Map.Entry<String, JsonNode> file : manifest.path("sha256").properties()) {
            Path path = checkpoint.resolve(file.getKey());
            boolean missing = !Files.exists(path);
            if (missing || !FileHash.sha256(path).equals(file.getValue().asText())) {
                throw new InvalidModelException(
                        "%s: %s; delete %s to go on from the one before",
                        path, missing ? "is missing" : "damaged: its hash is not that of the manifest", checkpoint);
            }
        }
    }
}
