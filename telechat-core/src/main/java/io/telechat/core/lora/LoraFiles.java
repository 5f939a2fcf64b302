// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

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
    private static final String BASE = "base_model_name_or_path";
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

    /** What else an adapter may be, and is not here. */
    private static final KeyRules RULES = KeyRules.saying(
                    "'%s' is %s, which telechat does not compute: only plain LoRA of linear layers is")
            .only("peft_type", "LORA")
            .only("bias", "none")
            .only(
                    "init_lora_weights",
                    node -> !node.isTextual() || !node.asText().matches("(?i)(pissa|olora|corda|loftq).*"))
            .only("layers_pattern", "h")
            .refuse(
                    "use_dora",
                    "rank_pattern",
                    "layer_replication",
                    "modules_to_save",
                    "lora_bias",
                    "megatron_config",
                    "trainable_token_indices",
                    "target_parameters",
                    "use_qalora",
                    "alora_invocation_tokens",
                    "arrow_config");

    /**
     * @throws InvalidModelException if a file is missing, damaged, or no LoRA adapter of linear layers, or if it asks for
     *     something that would change the result and is not computed here
     */
    public static LoraFiles read(Path directory) {
        LoraConfig config = config(directory);
        Path file = directory.resolve(WEIGHTS);
        Map<String, Pair> modules = new TreeMap<>();
        HostArena memory = new HostArena();
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile tensors = SafetensorsFile.open(file, arena);
            for (String name : tensors.tensors().keySet()) {
                if (!name.startsWith(PREFIX) || !name.endsWith(A) && !name.endsWith(B)) {
                    throw new InvalidModelException(
                            "%s: '%s' is no part of a LoRA adapter of linear layers", file, name);
                }
                if (name.endsWith(A)) {
                    String module = name.substring(PREFIX.length(), name.length() - A.length());
                    modules.put(module, pair(file, tensors, module, config.rank(), memory));
                }
            }
            if (modules.isEmpty()) {
                throw new InvalidModelException(
                        "%s: has no tensors for any of target_modules %s", file, config.targets());
            }
            if (2 * modules.size() != tensors.tensors().size()) {
                throw new InvalidModelException("%s: lora_A and lora_B do not come in pairs", file);
            }
            return new LoraFiles(config, modules, memory);
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    /**
     * The numbers alone of the adapter in a directory.
     *
     * @throws InvalidModelException likewise
     */
    public static LoraConfig config(Path directory) {
        return readConfig(directory.resolve(CONFIG));
    }

    /**
     * The model that an adapter belongs to, where a directory holds an adapter and no model.
     *
     * @return nothing where it is no such directory
     * @throws InvalidModelException if its file names no model, or one that is not there
     */
    public static Optional<Path> baseOf(Path directory) {
        Path file = directory.resolve(CONFIG);
        if (!Files.exists(file) || Files.exists(directory.resolve("config.json"))) {
            return Optional.empty();
        }
        String name = JsonFiles.readObject(file).path(BASE).asText("");
        Optional<Path> base = name.isEmpty() ? Optional.empty() : Optional.of(Path.of(name));
        return Optional.of(base.filter(Files::isDirectory)
                .or(() -> base.map(directory::resolve).filter(Files::isDirectory))
                .orElseThrow(() -> new InvalidModelException(
                        "%s: is a LoRA adapter, not a model%s; give its model's directory, and --adapter %s",
                        directory,
                        name.isEmpty() ? Message.of("") : Message.of(", and its model '%s' is not here", name),
                        directory)));
    }

    private static LoraConfig readConfig(Path file) {
        JsonNode json = JsonFiles.readObject(file);
        RULES.check(file, json);
        JsonNode targets = json.path("target_modules");
        if (!json.path("r").isInt() || json.path("r").intValue() < 1 || targets.isEmpty() && !targets.isTextual()) {
            throw new InvalidModelException("%s: needs \"r\" and \"target_modules\"", file);
        }
        int rank = json.path("r").intValue();
        Map<String, Double> alphas = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : json.path("alpha_pattern").properties()) {
            alphas.put(entry.getKey(), number(file, "alpha_pattern." + entry.getKey(), entry.getValue(), rank));
        }
        JsonNode excluded = json.path("exclude_modules");
        try {
            return new LoraConfig(
                    rank,
                    number(file, "lora_alpha", json.path("lora_alpha"), rank),
                    alphas,
                    json.path("use_rslora").asBoolean(),
                    number(file, "lora_dropout", json.path("lora_dropout"), 0),
                    new LoraSelection(
                            texts(targets), text(targets), texts(excluded), text(excluded), layers(file, json)));
        } catch (InvalidRequestException e) {
            throw new InvalidModelException(e, "%s: %s", file, e.message());
        }
    }

    private static double number(Path file, String key, JsonNode value, double fallback) {
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isNumber()) {
            throw new InvalidModelException("%s: \"%s\" is %s, must be a number", file, key, value);
        }
        return value.doubleValue();
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(n -> texts.add(n.asText()));
        return texts;
    }

    private static Optional<String> text(JsonNode node) {
        return Optional.of(node)
                .filter(n -> n.isTextual() && !n.asText().isEmpty())
                .map(JsonNode::asText);
    }

    /** {@code layers_to_transform}: a number, or a list. */
    private static Set<Integer> layers(Path file, JsonNode json) {
        JsonNode node = json.path("layers_to_transform");
        Set<Integer> layers = new TreeSet<>();
        if (node.isInt()) {
            layers.add(node.intValue());
        }
        for (JsonNode layer : node) {
            if (!layer.isInt()) {
                throw new InvalidModelException("%s: \"layers_to_transform\" holds %s", file, layer);
            }
            layers.add(layer.intValue());
        }
        return layers;
    }

    private static Pair pair(Path file, SafetensorsFile tensors, String module, int rank, TensorArena memory) {
        Tensor a = floats(tensors, file, PREFIX + module + A, memory);
        Tensor b = floats(tensors, file, PREFIX + module + B, memory);
        if (a.rows() != rank || b.columns() != rank) {
            throw new InvalidModelException(
                    "%s: the matrices of '%s' are %s and %s; adapter_config.json says rank %d",
                    file, module, a.shape(), b.shape(), rank);
        }
        return new Pair(a, b);
    }

    private static Tensor floats(SafetensorsFile tensors, Path file, String name, TensorArena memory) {
        if (!tensors.tensors().containsKey(name)) {
            throw new InvalidModelException("%s: has no tensor '%s'", file, name);
        }
        Tensor stored = tensors.tensor(name);
        if (!stored.dtype().isFloat() || stored.shape().rank() != 2) {
            throw new InvalidModelException("%s: '%s' is %s, must be a matrix of floats", file, name, stored);
        }
        float[] values = stored.toFloats();
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new InvalidModelException(
                        "%s: '%s' holds %s; it was not trained to an end, or is damaged", file, name, value);
            }
        }
        return memory.allocate(DType.F32, stored.shape().toArray()).setFloats(values);
    }

    /**
     * Writes an adapter into an existing directory.
     *
     * @param fanInFanOut whether the model stores its matrices as [in, out], which PEFT has to know
     */
    public static void write(
            Path directory, Optional<Path> base, LoraConfig config, Map<String, Pair> modules, boolean fanInFanOut) {
        ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        ObjectNode json = mapper.createObjectNode()
                .put("peft_type", "LORA")
                .put("task_type", "CAUSAL_LM")
                .put(
                        BASE,
                        base.map(p -> p.toAbsolutePath().normalize().toString()).orElse(null))
                .put("r", config.rank())
                .put("lora_alpha", config.alpha())
                .put("lora_dropout", config.dropout())
                .put("use_rslora", config.rankStabilized())
                .put("fan_in_fan_out", fanInFanOut)
                .put("bias", "none")
                .put("inference_mode", true);
        LoraSelection targets = config.targets();
        put(json, "target_modules", targets.names(), targets.expression());
        if (!targets.excluded().isEmpty() || targets.excludedExpression().isPresent()) {
            put(json, "exclude_modules", targets.excluded(), targets.excludedExpression());
        }
        if (!targets.layers().isEmpty()) {
            targets.layers().stream().sorted().forEach(json.putArray("layers_to_transform")::add);
        }
        if (!config.alphaPattern().isEmpty()) {
            ObjectNode pattern = json.putObject("alpha_pattern");
            config.alphaPattern().forEach(pattern::put);
        }
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
            throw new InvalidModelException(e, "%s: cannot be written: %s", directory, IoReason.of(e));
        }
    }

    private static void put(ObjectNode json, String key, List<String> names, Optional<String> expression) {
        if (expression.isPresent()) {
            json.put(key, expression.get());
        } else {
            names.forEach(json.putArray(key)::add);
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
