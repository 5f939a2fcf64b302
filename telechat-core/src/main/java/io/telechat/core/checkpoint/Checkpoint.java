// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The weights in a checkpoint directory, whatever they are stored in: safetensors or PyTorch files, one or many, or a
 * GGUF file. Opening
 * reads headers only; tensors are views of the mapped files where their layout allows.
 */
public final class Checkpoint implements AutoCloseable {
    /** Of each tensor. */
    private static final long FINGERPRINT_BYTES = 4096;

    private final Path directory;
    private final Arena arena;
    private final Map<String, TensorFile> fileOf;
    private final Map<String, TensorFile.Info> infos = new LinkedHashMap<>();
    private final Set<Path> files = new TreeSet<>();

    private Checkpoint(Path directory, Arena arena, Map<String, TensorFile> fileOf) {
        this.directory = directory;
        this.arena = arena;
        this.fileOf = fileOf;
        fileOf.forEach((name, file) -> infos.put(name, file.tensors().get(name)));
        infos.values().forEach(info -> files.add(info.file()));
    }

    /** @throws InvalidModelException if there are no weights, or they are damaged or incomplete */
    public static Checkpoint open(Path directory) {
        return open(directory, Optional.empty());
    }

    /**
     * @param directory or a GGUF file
     * @param unpacked what matrices turn into that a GGUF file has quantized; empty for the nearest type of ours
     * @throws InvalidModelException if there are no weights, or they are damaged or incomplete
     */
    public static Checkpoint open(Path directory, Optional<DType> unpacked) {
        Optional<Path> gguf = ModelFiles.gguf(directory);
        if (gguf.isEmpty() && !Files.isDirectory(directory)) {
            throw new InvalidModelException("%s: is not a directory; give the directory of a checkpoint", directory);
        }
        Arena arena = Arena.ofShared();
        try {
            Map<String, TensorFile> fileOf = gguf.isPresent()
                    ? byName(GgufTensors.open(gguf.get(), arena, unpacked))
                    : openFiles(directory, arena);
            return new Checkpoint(directory, arena, fileOf);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static Map<String, TensorFile> byName(TensorFile file) {
        Map<String, TensorFile> fileOf = new LinkedHashMap<>();
        file.tensors().keySet().forEach(name -> fileOf.put(name, file));
        return fileOf;
    }

    private static Map<String, TensorFile> openFiles(Path directory, Arena arena) {
        for (String kind : List.of("model.safetensors", "pytorch_model.bin")) {
            Path index = directory.resolve(kind + ".index.json");
            if (Files.exists(index)) {
                return openIndexed(directory, index, arena);
            }
            Path single = directory.resolve(kind);
            if (Files.exists(single)) {
                return collect(List.of(single), arena);
            }
        }
        try (Stream<Path> listing = Files.list(directory)) {
            List<Path> shards = listing.filter(p -> p.getFileName().toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
            if (!shards.isEmpty()) {
                return collect(shards, arena);
            }
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", directory, IoReason.of(e));
        }
        throw new InvalidModelException(
                "%s: no weights here: neither model.safetensors nor pytorch_model.bin, nor an index of either",
                directory);
    }

    private static TensorFile openFile(Path path, Arena arena) {
        return path.getFileName().toString().endsWith(".safetensors")
                ? SafetensorsFile.open(path, arena)
                : PyTorchFile.open(path, arena);
    }

    private static Map<String, TensorFile> collect(List<Path> paths, Arena arena) {
        Map<String, TensorFile> fileOf = new LinkedHashMap<>();
        for (Path path : paths) {
            TensorFile file = openFile(path, arena);
            for (String name : file.tensors().keySet()) {
                if (fileOf.put(name, file) != null) {
                    throw new InvalidModelException("%s: tensor '%s' is in another file, too", path, name);
                }
            }
        }
        return fileOf;
    }

    private static Map<String, TensorFile> openIndexed(Path directory, Path index, Arena arena) {
        JsonNode weightMap = JsonFiles.readObject(index).path("weight_map");
        if (!weightMap.isObject() || weightMap.isEmpty()) {
            throw new InvalidModelException("%s: has no weight_map", index);
        }
        Map<String, TensorFile> opened = new LinkedHashMap<>();
        Map<String, TensorFile> fileOf = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : weightMap.properties()) {
            String fileName = entry.getValue().asText();
            if (!entry.getValue().isTextual() || !isPlainFileName(fileName)) {
                throw new InvalidModelException(
                        "%s: names '%s', which is not a file of this directory", index, fileName);
            }
            TensorFile file = opened.computeIfAbsent(fileName, f -> openFile(directory.resolve(f), arena));
            if (!file.tensors().containsKey(entry.getKey())) {
                throw new InvalidModelException(
                        "%s: promises tensor '%s' in %s, which does not have it", index, entry.getKey(), fileName);
            }
            fileOf.put(entry.getKey(), file);
        }
        // What a shard has and the index does not mention is there all the same.
        opened.values().forEach(file -> file.tensors().keySet().forEach(name -> fileOf.putIfAbsent(name, file)));
        return fileOf;
    }

    private static boolean isPlainFileName(String name) {
        return !name.isEmpty()
                && !name.startsWith(".")
                && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
    }

    public Path directory() {
        return directory;
    }

    /** The files that hold tensors. */
    public Set<Path> files() {
        return Collections.unmodifiableSet(files);
    }

    public Set<String> names() {
        return Collections.unmodifiableSet(infos.keySet());
    }

    public DType dtype(String name) {
        return infos.get(name).dtype();
    }

    public Shape shape(String name) {
        return infos.get(name).shape();
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return infos.values().stream().mapToLong(TensorFile.Info::bytes).sum();
    }

    /** The tensor of this name, valid until the checkpoint is closed. */
    public Tensor tensor(String name) {
        return file(name).tensor(name);
    }

    /** Likewise; what a GGUF file has in another form than ours is brought into this arena, and valid as long as that. */
    public Tensor tensor(String name, TensorArena copies) {
        return file(name).tensor(name, copies);
    }

    private TensorFile file(String name) {
        TensorFile file = fileOf.get(name);
        if (file == null) {
            throw new InvalidModelException("%s: has no tensor '%s'", directory, name);
        }
        return file;
    }

    /** What becomes of matrices that a GGUF file has quantized: its types, and those that they are brought into. */
    public Map<GgufType, DType> conversions() {
        return fileOf.values().stream()
                .findFirst()
                .map(file -> file instanceof GgufTensors tensors ? tensors.conversions() : null)
                .orElseGet(TreeMap::new);
    }

    /**
     * Tells checkpoints apart without reading them whole: the beginning of a SHA-256 over every tensor's name, type, shape and
     * first bytes, wherever they lie.
     */
    public String fingerprint() {
        MessageDigest digest = Sha256.digest();
        for (String name : new TreeSet<>(infos.keySet())) {
            MemorySegment bytes = fileOf.get(name).bytes(name);
            digest.update("%s %s %s\n".formatted(name, dtype(name), shape(name)).getBytes(StandardCharsets.UTF_8));
            digest.update(bytes.asSlice(0, Math.min(FINGERPRINT_BYTES, bytes.byteSize()))
                    .toArray(ValueLayout.JAVA_BYTE));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, Long.BYTES);
    }

    /** Does nothing the second time: who loads a model from it closes it, and so does who had opened it. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
