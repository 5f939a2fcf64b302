// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.gguf.GgufConfig;
import io.telechat.core.gguf.GgufMetadata;
import io.telechat.core.gguf.GgufModel;
import io.telechat.core.gguf.GgufTokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The small files of a model: those of its directory or, where the model is a GGUF file, what that says in their place, so
 * that nobody but this class has to know.
 */
public final class ModelFiles {
    private static final String SUFFIX = ".gguf";

    private final Path model;
    private final Optional<Path> gguf;
    /** What stands in for files: JSON, or the pieces of a tokenizer.model. */
    private final Map<String, Supplier<Object>> virtual = new HashMap<>();

    private ModelFiles(Path model, Optional<Path> gguf) {
        this.model = model;
        this.gguf = gguf;
    }

    /**
     * @param model a checkpoint's directory or a GGUF file
     * @throws InvalidModelException if it is a GGUF file that is damaged, or a model that is not known
     */
    public static ModelFiles of(Path model) {
        Optional<Path> gguf = gguf(model);
        ModelFiles files = new ModelFiles(model, gguf);
        gguf.ifPresent(files::read);
        return files;
    }

    /**
     * The GGUF file that a path means: itself, or the only one in a directory that has no other weights.
     *
     * @throws InvalidModelException if a directory has several
     */
    public static Optional<Path> gguf(Path model) {
        if (!Files.isDirectory(model)) {
            return Optional.of(model).filter(ModelFiles::hasSuffix);
        }
        try (Stream<Path> listing = Files.list(model)) {
            List<Path> files = listing.sorted().toList();
            List<Path> found = files.stream()
                    .filter(ModelFiles::hasSuffix)
                    .filter(file -> !GgufModel.isFurtherPart(file))
                    .toList();
            if (found.isEmpty() || files.stream().anyMatch(ModelFiles::isOtherWeights)) {
                return Optional.empty();
            }
            if (found.size() > 1) {
                throw new InvalidModelException(
                        "%s: has %d models: %s, …; give one of these files",
                        model, found.size(), found.getFirst().getFileName());
            }
            return Optional.of(found.getFirst());
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", model, IoReason.of(e));
        }
    }

    private static boolean hasSuffix(Path path) {
        return path.getFileName() != null && path.getFileName().toString().endsWith(SUFFIX);
    }

    private static boolean isOtherWeights(Path path) {
        return path.getFileName().toString().matches(".*\\.safetensors(\\.index\\.json)?|pytorch_model.*");
    }

    private void read(Path file) {
        try (Arena arena = Arena.ofShared()) {
            GgufModel read = GgufModel.open(file, path -> MappedFile.map(path, arena));
            JsonNode config = GgufConfig.read(read);
            GgufMetadata metadata = read.metadata();
            virtual.put("config.json", () -> config);
            virtual.put("generation_config.json", () -> GgufTokenizer.generationConfig(metadata));
            GgufTokenizer.of(metadata).ifPresent(tokenizer -> {
                virtual.put("tokenizer_config.json", tokenizer::tokenizerConfig);
                if (tokenizer.isSentencePiece()) {
                    virtual.put("tokenizer.model", tokenizer::pieces);
                } else {
                    virtual.put("tokenizer.json", tokenizer::tokenizerJson);
                }
            });
        }
    }

    /** Whether the model is a GGUF file. */
    public boolean isGguf() {
        return gguf.isPresent();
    }

    public boolean has(String name) {
        return gguf.isPresent() ? virtual.containsKey(name) : Files.exists(model.resolve(name));
    }

    /** What to call a file in complaints: where it is, or the GGUF file that stands in for it. */
    public Path path(String name) {
        return gguf.orElseGet(() -> model.resolve(name));
    }

    /** @throws InvalidModelException if the file is missing, too long, or not a JSON object */
    public JsonNode json(String name) {
        if (gguf.isEmpty()) {
            return JsonFiles.readObject(model.resolve(name));
        }
        if (virtual(name).orElse(null) instanceof JsonNode json) {
            return json;
        }
        throw new InvalidModelException("%s: has nothing in place of %s", gguf.get(), name);
    }

    private Optional<Object> virtual(String name) {
        return Optional.ofNullable(virtual.get(name)).map(Supplier::get);
    }

    /** What a GGUF file has in place of a tokenizer.model; nothing where there is a directory. */
    public Optional<GgufTokenizer.Pieces> pieces() {
        return virtual("tokenizer.model").map(GgufTokenizer.Pieces.class::cast);
    }

    /** Writes a file into a directory, if there is one of this name; of a GGUF file, if it is JSON. */
    void copy(String name, Path directory) throws IOException {
        Path to = directory.resolve(name);
        if (virtual(name).orElse(null) instanceof JsonNode json) {
            new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(to.toFile(), json);
        } else if (gguf.isEmpty() && has(name)) {
            Files.copy(model.resolve(name), to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
