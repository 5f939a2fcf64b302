// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which linear layers of a checkpoint make up which weights of the model. A weight may be put together from several, row by
 * row: the architecture is asked to do so with numbered rows, and where they end up is read off.
 */
final class LoraTargets {
    private static final String SUFFIX = ".weight";

    /**
     * A linear layer of the checkpoint.
     *
     * @param name without {@code .weight}
     */
    record Module(String name, int in, int out) {}

    /**
     * A weight of the model with at least one target in it.
     *
     * @param modules the targets that it is made of
     * @param moduleOf for each of its rows, an index into {@code modules}, or -1 where the row is of no target
     * @param rowOf the row of that module
     */
    record Composition(List<Module> modules, int[] moduleOf, int[] rowOf) {}

    private final ModelConfig config;
    private final ModelPart part;
    private final Map<String, TensorSpec> specs = new HashMap<>();

    LoraTargets(ModelConfig config) {
        this(ModelPart.whole(config));
    }

    /** @param part whose share of the weights is composed */
    LoraTargets(ModelPart part) {
        this.config = part.whole();
        this.part = part;
        config.architecture().tensors(config).forEach(s -> specs.put(s.name(), s));
    }

    /** Whether the checkpoint stores matrices as [in, out]. */
    boolean fanInFanOut() {
        return specs.values().stream().anyMatch(TensorSpec::transposed);
    }

    /** Names of all linear layers of the decoder layers that an adapter is for. */
    List<Module> modules(LoraConfig lora) {
        List<Module> modules = new ArrayList<>();
        for (TensorSpec spec : config.architecture().tensors(config)) {
            String name = spec.name();
            if (isLinear(name)) {
                String module = name.substring(0, name.length() - SUFFIX.length());
                if (lora.targets().contains(module)) {
                    modules.add(module(module, spec));
                }
            }
        }
        return modules;
    }

    private static Module module(String name, TensorSpec spec) {
        return new Module(
                name,
                Math.toIntExact(spec.computedShape().dim(1)),
                Math.toIntExact(spec.computedShape().dim(0)));
    }

    private boolean isLinear(String name) {
        return specs.get(name).shape().rank() == 2
                && name.endsWith(SUFFIX)
                && !name.equals(config.architecture().embeddingName(config))
                && !name.equals(config.architecture().headName(config));
    }

    /** What the matrices of a layer are made of; those without a target in them are left out. */
    Map<WeightId, Composition> layer(int index, LoraConfig lora) {
        List<String> names = new ArrayList<>();
        Map<WeightId, Composition> compositions = new LinkedHashMap<>();
        try (HostArena arena = new HostArena()) {
            LayerWeights numbered = config.architecture().layer(config, index, numbered(names, arena));
            for (Weight weight : numbered.matrices()) {
                composition(part.rows(weight), names, lora).ifPresent(c -> compositions.put(weight.id(), c));
            }
        }
        return compositions;
    }

    /** Tensors [rows, 1] whose elements are numbers: that of the tensor in the upper half, that of the row in the lower. */
    private WeightSource numbered(List<String> names, HostArena arena) {
        return new WeightSource() {
            @Override
            public Tensor get(String name) {
                TensorSpec spec = specs.get(name);
                if (spec.shape().rank() < 2) {
                    return arena.allocate(DType.F32, spec.shape().toArray());
                }
                Tensor tensor = arena.allocate(DType.F64, spec.computedShape().dim(0), 1);
                long number = names.size();
                names.add(name);
                for (long row = 0; row < tensor.rows(); row++) {
                    tensor.segment().set(ValueLayout.JAVA_LONG, 8 * row, number << 32 | row);
                }
                return tensor;
            }

            @Override
            public Tensor transposed(String name) {
                return get(name);
            }
        };
    }

    private Optional<Composition> composition(Weight weight, List<String> names, LoraConfig lora) {
        List<Module> modules = new ArrayList<>();
        int rows = Math.toIntExact(weight.outFeatures());
        int[] moduleOf = new int[rows];
        int[] rowOf = new int[rows];
        int row = 0;
        int before = -1;
        int index = -1;
        for (Weight.Block block : weight.blocks()) {
            for (long i = 0; i < block.rows(); i++, row++) {
                long number = block.matrix().segment().get(ValueLayout.JAVA_LONG, 8 * i);
                int tensor = (int) (number >>> 32);
                if (tensor != before) { // once for its rows, of which there are millions
                    before = tensor;
                    index = wanted(names.get(tensor), modules, lora);
                }
                moduleOf[row] = index;
                rowOf[row] = (int) number;
            }
        }
        return modules.isEmpty()
                ? Optional.empty()
                : Optional.of(new Composition(List.copyOf(modules), moduleOf, rowOf));
    }

    /** The index of a tensor's module, which is added if need be; -1 if it gets no adapter. */
    private int wanted(String tensor, List<Module> modules, LoraConfig lora) {
        Module module = module(tensor.substring(0, tensor.length() - SUFFIX.length()), specs.get(tensor));
        return lora.targets().contains(module.name()) ? indexOf(modules, module) : -1;
    }

    private static int indexOf(List<Module> modules, Module module) {
        int index = modules.indexOf(module);
        if (index < 0) {
            modules.add(module);
            return modules.size() - 1;
        }
        return index;
    }

    /** @throws InvalidModelException if the model has none of the layers that adapters are asked for */
    void requireAny(LoraConfig lora, Object source) {
        if (modules(lora).isEmpty()) {
            throw new InvalidModelException(
                    "%s: the model has no linear layer named %s; it has %s", source, lora.targets(), names());
        }
    }

    /** @throws InvalidModelException if the adapter is not for this model, or lacks tensors for one of its layers */
    void check(LoraConfig lora, Map<String, LoraFiles.Pair> pairs, Object source) {
        requireAny(lora, source);
        Map<String, Module> byName = new LinkedHashMap<>();
        modules(lora).forEach(m -> byName.put(m.name(), m));
        pairs.forEach((name, pair) -> {
            Module module = byName.get(name);
            if (module == null || pair.a().columns() != module.in() || pair.b().rows() != module.out()) {
                throw new InvalidModelException(
                        "%s: '%s' with %s and %s does not fit the model%s",
                        source,
                        name,
                        pair.a().shape(),
                        pair.b().shape(),
                        module == null
                                ? Message.of("")
                                : Message.of(": its layer is [%d, %d]", module.out(), module.in()));
            }
        });
        List<String> missing = byName.keySet().stream()
                .filter(name -> !pairs.containsKey(name))
                .toList();
        if (!missing.isEmpty()) {
            throw new InvalidModelException(
                    "%s: has no tensors for %d of the %d layers of target_modules %s, such as '%s'",
                    source, missing.size(), byName.size(), lora.targets(), missing.getFirst());
        }
    }

    private List<String> names() {
        return specs.keySet().stream()
                .filter(this::isLinear)
                .map(n -> n.substring(0, n.length() - SUFFIX.length()))
                .map(n -> n.substring(n.lastIndexOf('.') + 1))
                .distinct()
                .sorted()
                .toList();
    }
}
