// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An adapter as PEFT stores it: {@code adapter_config.json}, and {@code adapter_model.safetensors} with
 * {@code base_model.model.NAME.lora_A.weight} [rank, in] and {@code lora_B.weight} [out, rank].
 *
 * @param config its numbers
 * @param modules both matrices of each linear layer, F32 in host memory, by the layer's name
 */
public record LoraFiles(LoraConfig config, Map<String, Pair> modules, TensorArena arena) implements AutoCloseable {
    public static final String CONFIG = "adapter_config.json";
    public static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PREFIX = "base_model.model.";
    private static final String A = ".lora_A.weight";
    private static final String B = ".lora_B.weight";

    /**
     * {@code W + scale · b · a}.
     *
     * @param a [rank, in]
     * @param b [out, rank]
     */
    public record Pair(Tensor a, Tensor b) {}

    /** @throws InvalidModelException if a file is missing, damaged, or no LoRA adapter of linear layers */
    public static LoraFiles read(Path directory) {
        LoraConfig config = readConfig(directory.resolve(CONFIG));
        Path file = directory.resolve(WEIGHTS);
        Map<String, Pair> modules = new TreeMap<>();
        HostArena memory = new HostArena();
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile tensors = SafetensorsFile.open(file, arena);
            for (String name : tensors.tensors().keySet()) {
                if (!name.startsWith(PREFIX) || !name.endsWith(A) && !name.endsWith(B)) {
                    throw new InvalidModelException(
                            "%s: '%s' is no part of a LoRA adapter of linear layers".formatted(file, name));
                }
                if (name.endsWith(A)) {
                    String module = name.substring(PREFIX.length(), name.length() - A.length());
                    modules.put(module, pair(file, tensors, module, config.rank(), memory));
                }
            }
            if (2 * modules.size() != tensors.tensors().size()) {
                throw new InvalidModelException("%s: lora_A and lora_B do not come in pairs".formatted(file));
            }
            return new LoraFiles(config, modules, memory);
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private static LoraConfig readConfig(Path file) {
        JsonNode json = JsonFiles.readObject(file);
        if (!json.path("peft_type").asText("LORA").equals("LORA")
                || json.path("use_dora").asBoolean()
                || !json.path("rank_pattern").isEmpty()
                || !json.path("bias").asText("none").equals("none")) {
            throw new InvalidModelException(
                    "%s: only plain LoRA is understood (no DoRA, no rank patterns, no trained biases)".formatted(file));
        }
        List<String> targets = new ArrayList<>();
        JsonNode names = json.path("target_modules");
        if (names.isTextual()) {
            targets.add(names.asText());
        }
        names.forEach(n -> targets.add(n.asText()));
        int rank = json.path("r").asInt();
        if (rank < 1 || targets.isEmpty()) {
            throw new InvalidModelException("%s: needs \"r\" and \"target_modules\"".formatted(file));
        }
        double dropout = json.path("lora_dropout").asDouble(0);
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidModelException(
                    "%s: \"lora_dropout\" is %s, must be from 0 to below 1".formatted(file, dropout));
        }
        return new LoraConfig(
                rank,
                json.path("lora_alpha").asDouble(rank),
                json.path("use_rslora").asBoolean(),
                dropout,
                targets);
    }

    private static Pair pair(Path file, SafetensorsFile tensors, String module, int rank, TensorArena memory) {
        Tensor a = floats(tensors, file, PREFIX + module + A, memory);
        Tensor b = floats(tensors, file, PREFIX + module + B, memory);
        if (a.rows() != rank || b.columns() != rank) {
            throw new InvalidModelException("%s: the matrices of '%s' are %s and %s; adapter_config.json says rank %d"
                    .formatted(file, module, a.shape(), b.shape(), rank));
        }
        return new Pair(a, b);
    }

    private static Tensor floats(SafetensorsFile tensors, Path file, String name, TensorArena memory) {
        if (!tensors.tensors().containsKey(name)) {
            throw new InvalidModelException("%s: has no tensor '%s'".formatted(file, name));
        }
        Tensor stored = tensors.tensor(name);
        if (!stored.dtype().isFloat() || stored.shape().rank() != 2) {
            throw new InvalidModelException("%s: '%s' is %s, must be a matrix of floats".formatted(file, name, stored));
        }
        return memory.allocate(DType.F32, stored.shape().toArray()).setFloats(stored.toFloats());
    }

    /**
     * Writes an adapter into an existing directory.
     *
     * @param fanInFanOut whether the model stores its matrices as [in, out], which PEFT has to know
     */
    public static void write(Path directory, LoraConfig config, Map<String, Pair> modules, boolean fanInFanOut) {
        ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        ObjectNode json = mapper.createObjectNode()
                .put("peft_type", "LORA")
                .put("task_type", "CAUSAL_LM")
                .put("r", config.rank())
                .put("lora_alpha", config.alpha())
                .put("lora_dropout", config.dropout())
                .put("use_rslora", config.rankStabilized())
                .put("fan_in_fan_out", fanInFanOut)
                .put("bias", "none")
                .put("inference_mode", true);
        config.targets().forEach(json.putArray("target_modules")::add);
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        modules.forEach((name, pair) -> {
            entries.put(PREFIX + name + A, entry(pair.a().shape()));
            entries.put(PREFIX + name + B, entry(pair.b().shape()));
        });
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve(WEIGHTS), entries)) {
            modules.forEach((name, pair) -> {
                writer.tensor(PREFIX + name + A).segment().copyFrom(pair.a().segment());
                writer.tensor(PREFIX + name + B).segment().copyFrom(pair.b().segment());
            });
            writer.commit();
            mapper.writeValue(directory.resolve(CONFIG).toFile(), json);
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be written: %s".formatted(directory, IoReason.of(e)), e);
        }
    }

    private static SafetensorsWriter.Entry entry(Shape shape) {
        return new SafetensorsWriter.Entry(DType.F32, shape);
    }

    @Override
    public void close() {
        arena.close();
    }
}
